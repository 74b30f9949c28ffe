// What kube-git is made to hold and to do while its memory is measured: GitHooks, pushes, runs that end. Called by
// bench/memory.ts; knows nothing of memory.
import type { GitHookRun } from '../src/api/githookrun.ts';
import type { KubeObject } from '../src/api/object.ts';
import { type ApiServer, callApi } from '../test/env/api.ts';
import type { Forge } from '../test/env/forge.ts';
import type { Repository } from '../test/env/git-server.ts';
import { waitFor } from '../test/env/wait.ts';
import { inTurns } from './load/in-turns.ts';

export interface Load {
  readonly cluster: ApiServer;
  readonly forge: Forge;
  readonly signal: AbortSignal;
}

const namespace = 'default';
const gitHooks = `/apis/kubegit.appspero.com/v1alpha1/namespaces/${namespace}/githooks`;
const gitHookRuns = `/apis/kubegit.appspero.com/v1alpha1/namespaces/${namespace}/githookruns`;
const jobs = `/apis/batch/v1/namespaces/${namespace}/jobs`;
const deadlineMs = 90_000;
const atOnce = 10;

interface List<T> {
  readonly items: readonly T[];
}

interface Job extends KubeObject {
  readonly status?: { readonly completionTime?: string };
}

/** Creates GitHooks number `from` to `to`, of a repository each or of `repository`, and waits until kube-git has said of all that they are ready. */
export async function createGitHooks(
  load: Load,
  { from, to, repository }: { readonly from: number; readonly to: number; readonly repository?: Repository },
): Promise<void> {
  const numbers = Array.from({ length: to - from }, (_, index) => from + index);
  await inTurns(numbers, atOnce, async (number) => {
    const url = repository?.url ?? `https://example.com/acme/app-${number}.git`;
    await callApi(load.cluster, 'POST', gitHooks, {
      body: gitHook(repository ? `pushed-${number}` : `app-${number}`, url),
    });
  });
  const ready = async (): Promise<boolean> => {
    const { items } = await callApi<List<{ status?: { conditions?: unknown } }>>(load.cluster, 'GET', gitHooks);
    return items.every(({ status }) => status?.conditions !== undefined);
  };
  await waitFor(ready, { what: 'all GitHooks to be judged', deadlineMs, everyMs: 500, signal: load.signal });
}

function gitHook(name: string, repository: string): object {
  return {
    ...{ apiVersion: 'kubegit.appspero.com/v1alpha1', kind: 'GitHook', metadata: { name } },
    spec: { repository, branches: ['main', 'release/*'], manifest: 'job.yaml' },
  };
}

/** Pushes a new commit each to a repository with one GitHook, and ends the Jobs; returns when every run has succeeded. */
export async function push(load: Load, repository: Repository, count: number): Promise<void> {
  const { items: before } = await callApi<List<GitHookRun>>(load.cluster, 'GET', gitHookRuns);
  const known = new Set(before.map(({ metadata }) => metadata.name));
  const commits: string[] = [];
  for (let number = 0; number < count; number++) commits.push(await repository.commit({ counter: `${number}` }));
  await inTurns([...commits.entries()], atOnce, ([number, after]) =>
    load.forge.announce({
      repository: repository.name,
      ref: 'refs/heads/main',
      before: commits[number - 1] ?? '0'.repeat(40),
      after,
    }),
  );
  let failed: GitHookRun | undefined;
  const allEnded = async (): Promise<boolean> => {
    await endJobs(load);
    const { items } = await callApi<List<GitHookRun>>(load.cluster, 'GET', gitHookRuns);
    const own = items.filter(({ metadata }) => !known.has(metadata.name));
    failed = own.find(({ status }) => status?.phase === 'Failed');
    return failed !== undefined || (own.length === count && own.every(({ status }) => status?.phase === 'Succeeded'));
  };
  await waitFor(allEnded, { what: `${count} runs to end`, deadlineMs, everyMs: 500, signal: load.signal });
  if (failed) throw new Error(`a run failed: ${failed.status?.message}`);
}

/** There is no job controller here: says for it what it says of a Job whose pod has succeeded. */
async function endJobs({ cluster }: Load): Promise<void> {
  const { items } = await callApi<List<Job>>(cluster, 'GET', jobs);
  const running = items.filter(({ status }) => status?.completionTime === undefined);
  await inTurns(running, atOnce, async ({ metadata: { name } }) => {
    await callApi(cluster, 'PATCH', `${jobs}/${name}/status`, { body: { status: succeeded() } });
  });
}

/** The status of a Job that has succeeded now. */
export function succeeded(): object {
  const now = `${new Date().toISOString().slice(0, 19)}Z`;
  const conditions = ['SuccessCriteriaMet', 'Complete'].map((type) => ({
    type,
    status: 'True',
    lastTransitionTime: now,
  }));
  return { startTime: now, completionTime: now, succeeded: 1, conditions };
}
