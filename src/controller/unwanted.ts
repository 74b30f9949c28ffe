// Runs that are recorded but run nothing.
import type { GitHook } from '../api/githook.ts';
import type { GitHookRun } from '../api/githookrun.ts';
import { parseKey } from '../api/object.ts';
import { isNotFound } from '../kube/kube.ts';
import { gitHookKey, gitHookType } from './own-types.ts';
import type { RunContext } from './run-context.ts';

/** Pushes older than this start nothing: a backup that is restored after a week must not run the old pushes again. */
export const windowMs = 7 * 24 * 60 * 60 * 1000;

/** Why a run without a status is to be skipped; undefined when it is to be run. */
export async function unwanted(
  run: GitHookRun,
  context: RunContext,
  signal: AbortSignal,
): Promise<{ reason: string; message: string } | undefined> {
  if (run.spec.suspend) {
    return {
      reason: 'Suspended',
      message: 'The GitHook was suspended when the push arrived. Set spec.suspend to false and push again.',
    };
  }
  const ageMs = context.clock.now() - Date.parse(run.metadata.creationTimestamp ?? run.spec.receivedTime);
  if (ageMs > windowMs) {
    return { reason: 'Stale', message: 'The push is more than seven days old. Push again to run it.' };
  }
  if (await belongsToLiveGitHook(run, context, signal)) return undefined;
  return { reason: 'GitHookGone', message: `The GitHook "${run.spec.gitHookRef.name}" of this push no longer exists.` };
}

/** Asks the cache first; a no is believed only from the API server itself. */
async function belongsToLiveGitHook(run: GitHookRun, context: RunContext, signal: AbortSignal): Promise<boolean> {
  const key = gitHookKey(run);
  const { uid } = run.spec.gitHookRef;
  if (context.gitHooks.get(key)?.metadata.uid === uid) return true;
  try {
    const live = await context.kube.get<GitHook>(gitHookType, parseKey(key), { signal });
    return live.metadata.uid === uid;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}
