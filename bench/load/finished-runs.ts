// Finished runs by the thousand: one that kube-git itself has left behind, copied. Called by bench/groups/scale.ts.
import { randomBytes } from 'node:crypto';
import type { GitHook } from '../../src/api/githook.ts';
import type { GitHookRun } from '../../src/api/githookrun.ts';
import { commitLabel, gitHookLabel } from '../../src/api/keys.ts';
import type { KubeObject } from '../../src/api/object.ts';
import type { Forge } from '../../test/env/forge.ts';
import { waitFor } from '../../test/env/wait.ts';
import type { Bench } from '../group.ts';
import { succeeded } from '../load.ts';
import { atOnce } from './api-client.ts';
import { inTurns } from './in-turns.ts';
import type { Place } from './place.ts';

/** The notification file for what told() gives. */
export function notificationsFor(forge: Forge): string {
  const url = 'https://example.test/${NAMESPACE}/${NAME}';
  return JSON.stringify({
    github: { forge: { url, token: 'a-token-of-the-benchmark', api: forge.apiUrl } },
    slack: { team: { url, webhookURL: forge.slackUrl('T0/B0/ci'), channel: '#ci' } },
  });
}

/** The notification of a GitHook whose runs are told to both sinks. */
export const toldTo = { github: 'forge', slack: 'team' } as const;

/** Waits for the only run of this commit, ends its Job well, and returns the run when kube-git has done all with it. */
export async function finishRun(bench: Bench, place: Place, commit: string): Promise<GitHookRun> {
  const { client } = place;
  const until = (what: string, isSo: (run: GitHookRun) => boolean): Promise<GitHookRun> => {
    const look = async (): Promise<GitHookRun | undefined> =>
      (await client.list<GitHookRun>(place.runs)).find((run) => run.spec.commit === commit && isSo(run));
    return waitFor(look, { what, deadlineMs: 60_000, everyMs: 100, signal: bench.signal });
  };
  const running = await until('a run to go on', ({ status }) => status?.phase === 'Running');
  const job = running.status?.resource?.name ?? '';
  await client.call('PATCH', `${place.jobs}/${job}/status`, { status: succeeded() });
  const isTold = ({ status }: GitHookRun): boolean =>
    (status?.sinks?.length ?? 0) > 1 && status?.sinks?.every((sink) => sink.told === 'Succeeded') === true;
  return until('a run to be told and done', (run) => run.status?.handedBack === true && isTold(run));
}

/** Stores `count` runs like this one, of one GitHook after another. */
export async function createFinishedRuns(place: Place, like: GitHookRun, count: number): Promise<void> {
  const gitHooks = await place.client.list<GitHook>(place.gitHooks);
  const owners = Array.from({ length: count }, (_, index) => gitHooks[index % gitHooks.length]);
  await inTurns(owners, atOnce, async (owner) => {
    if (owner === undefined) return;
    const run = copyFor(like, owner);
    const created = await place.client.call<KubeObject>('POST', place.runs, run);
    const { name, resourceVersion } = created.metadata;
    const stored = { ...run, metadata: { ...run.metadata, resourceVersion } };
    await place.client.call('PUT', `${place.runs}/${name}/status`, stored);
  });
}

/** The same for another push and another GitHook. */
function copyFor(like: GitHookRun, { metadata, spec }: GitHook): GitHookRun {
  const { name = '', uid = '' } = metadata;
  const commit = randomBytes(20).toString('hex');
  const runName = `${name}-${commit.slice(0, 12)}`;
  const [owner] = like.metadata.ownerReferences ?? [];
  const resource = like.status?.resource;
  return {
    ...{ apiVersion: like.apiVersion, kind: like.kind },
    metadata: {
      name: runName,
      labels: { ...like.metadata.labels, [gitHookLabel]: name, [commitLabel]: commit },
      ...(owner && { ownerReferences: [{ ...owner, name, uid }] }),
    },
    spec: { ...like.spec, gitHookRef: { name, uid }, commit, after: commit, repository: spec.repository },
    status: { ...like.status, ...(resource && { resource: { ...resource, uid: crypto.randomUUID() } }) },
  };
}
