// Runs in the API server: read live, written by compare-and-swap. Nothing here is remembered between two calls.
import type { GitHookRun, GitHookRunStatus } from '../api/githookrun.ts';
import { group, version } from '../api/keys.ts';
import { keyOf, type ObjectKey, parseKey } from '../api/object.ts';
import { isConflict, isNotFound, type Kube } from '../kube/kube.ts';

export const runType = { group, version, plural: 'githookruns' } as const;
export const gitHookType = { group, version, plural: 'githooks' } as const;

/** How often an update that lost a race is tried again before the queue's back-off takes over. */
const conflictAttempts = 5;

/** The run as it is now; undefined where there is none. */
export async function getRun(kube: Kube, key: string, signal: AbortSignal): Promise<GitHookRun | undefined> {
  try {
    return await kube.get<GitHookRun>(runType, parseKey(key), { signal });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Writes the status if nobody has written the run since it was read; throws a conflict otherwise. Returns the run as stored. */
export function writeStatus(
  kube: Kube,
  run: GitHookRun,
  status: GitHookRunStatus,
  signal: AbortSignal,
): Promise<GitHookRun> {
  return kube.replace<GitHookRun>(runType, { ...run, status }, { subresource: 'status', signal });
}

/**
 * Changes the status of the run as it is now, again where another writer was faster.
 * `change` returns undefined when there is nothing to write. Returns the run as stored; undefined where it is gone.
 */
export async function updateStatus(
  kube: Kube,
  key: ObjectKey,
  change: (run: GitHookRun) => GitHookRunStatus | undefined,
  signal: AbortSignal,
): Promise<GitHookRun | undefined> {
  for (let attempt = 1; ; attempt++) {
    const run = await getRun(kube, `${key.namespace}/${key.name}`, signal);
    const status = run && change(run);
    if (run === undefined || status === undefined) return run;
    try {
      return await writeStatus(kube, run, status, signal);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      if (!isConflict(error) || attempt === conflictAttempts) throw error;
    }
  }
}

/** The GitHook a run belongs to, as namespace/name. */
export function gitHookKey(run: GitHookRun): string {
  return `${keyOf(run).namespace}/${run.spec.gitHookRef.name}`;
}
