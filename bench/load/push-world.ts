// What the group push measures with: a repository of 1 MB, and when the Job of each commit was there. Called by
// bench/groups/push.ts.
import { randomUUID } from 'node:crypto';
import { annotations } from '../../src/api/keys.ts';
import type { KubeObject } from '../../src/api/object.ts';
import type { GitServer } from '../../test/env/git-server.ts';
import { waitFor } from '../../test/env/wait.ts';
import type { HookPlan, Push } from '../../test/faults/long/pushes.ts';
import { watchAll } from '../../test/faults/long/watching.ts';
import { manifestOf } from '../fetch/repositories.ts';
import type { Bench } from '../group.ts';
import { fileBytes, fillRepository } from '../large-repository.ts';
import type { Place } from './place.ts';

const repositoryBytes = 1_000_000;
const silentMs = 180_000;

/** So many pushes, each of a commit that changes the manifest. */
export async function makePushRepository(
  bench: Bench,
  git: GitServer,
  { hook, manifest, count }: { readonly hook: HookPlan; readonly manifest: string; readonly count: number },
): Promise<Push[]> {
  const repository = await git.createRepository(hook.repository);
  const files = Math.round(repositoryBytes / fileBytes);
  const manifests = (commit: number) => ({ [manifest]: manifestOf(commit) });
  await fillRepository(repository.path, { files, changes: 0, laterCommits: count, manifests }, bench.signal);
  const commits = (await repository.git(['rev-list', '--reverse', 'main'])).split('\n');
  return commits.slice(1).map((commit, index) => ({ hook, commit, before: commits[index] ?? '', id: randomUUID() }));
}

export interface JobTimes {
  /** When the Job of the commit was first shown, by performance.now(); waits for it. */
  of(commit: string): Promise<number>;
}

/** By a bare watch, until the group ends. */
export function watchByCommit(bench: Bench, { client, jobs }: Place): JobTimes {
  const times = new Map<string, number>();
  const note = ({ metadata }: KubeObject): void => {
    const commit = metadata.annotations?.[annotations.commit] ?? '';
    if (!times.has(commit)) times.set(commit, performance.now());
  };
  const ended = new AbortController();
  const watching = watchAll<KubeObject>(client.server, jobs, note, AbortSignal.any([bench.signal, ended.signal]));
  bench.after(async () => {
    ended.abort();
    await watching;
  });
  const of = (commit: string): Promise<number> =>
    waitFor(() => times.get(commit), {
      what: `the Job of ${commit}`,
      deadlineMs: silentMs,
      everyMs: 2,
      signal: bench.signal,
    });
  return { of };
}
