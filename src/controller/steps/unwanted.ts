// Runs that are recorded but run nothing.
import type { GitHook } from '../../api/githook.ts';
import type { GitHookRun } from '../../api/githookrun.ts';
import { keptWindowMs } from '../../api/identity.ts';
import { gitHookKey, gitHookType } from '../../api/keys.ts';
import { parseKey } from '../../api/object.ts';
import { ifFound } from '../../kube/kube.ts';
import type { RunContext } from '../run-context.ts';

/** Why a run without a status is to be skipped; undefined when it is to be run. */
export async function unwanted(
  run: GitHookRun,
  context: RunContext,
  signal: AbortSignal,
): Promise<{ reason: string; message: string } | undefined> {
  // Who asks by hand knows: it is how to try a GitHook before it listens.
  if (run.spec.suspend && run.spec.source !== 'Manual') {
    return {
      reason: 'Suspended',
      message: 'The GitHook was suspended when the push arrived. Set spec.suspend to false and push again.',
    };
  }
  // Of one that was restored from a backup only receivedTime says how old it is.
  const times = [run.spec.receivedTime, run.metadata.creationTimestamp ?? run.spec.receivedTime].map((time) =>
    Date.parse(time),
  );
  const ageMs = context.clock.now() - Math.min(...times);
  if (ageMs > keptWindowMs) {
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
  const live = await ifFound(context.kube.get<GitHook>(gitHookType, parseKey(key), { signal }));
  return live?.metadata.uid === uid;
}
