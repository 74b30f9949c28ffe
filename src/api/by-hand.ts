// What people ask for in annotations, and whether it is still to be answered. Pure: whoever looks at the object at any time
// comes to the same answer, so that nothing is lost or done twice over a restart.
import type { GitHook } from './githook.ts';
import type { GitHookRun } from './githookrun.ts';
import { byHand } from './keys.ts';
import { digest } from './labels.ts';
import type { ObjectMeta } from './object.ts';
import { cancelled, isEnded } from './phase.ts';

/** The CRDs' limit for the values that status keeps, in characters. */
const handledLimit = 1024;

/** Whether the run is to be cancelled. Any value says so: who no longer wants it takes the annotation away. */
export function isCancelAsked(run: GitHookRun): boolean {
  return annotationOf(run.metadata, byHand.cancel) !== undefined;
}

/** The value of a cancel that came when the run had ended, which nobody has been told yet; undefined where there is none. */
export function lateCancel(run: GitHookRun): string | undefined {
  const value = annotationOf(run.metadata, byHand.cancel);
  if (value === undefined || !isEnded(run) || run.status?.reason === cancelled) return undefined;
  return handledAs(value) === run.status?.handledCancel ? undefined : value;
}

/** The value that asks for a rerun and has not been answered; undefined where there is none. */
export function rerunAsked(run: GitHookRun): string | undefined {
  const value = annotationOf(run.metadata, byHand.rerun);
  return value === undefined || handledAs(value) === run.status?.handledRerun ? undefined : value;
}

/** The value that asks for a run now and has not been answered; undefined where there is none. */
export function runNowAsked(gitHook: GitHook): string | undefined {
  const value = annotationOf(gitHook.metadata, byHand.runNow);
  return value === undefined || handledAs(value) === gitHook.status?.handledRun ? undefined : value;
}

/** The value as status keeps it: one that is too long as a digest. */
export function handledAs(value: string): string {
  return value.length <= handledLimit ? value : `digest:${digest(value, 32)}`;
}

function annotationOf({ annotations = {} }: ObjectMeta, key: string): string | undefined {
  return Object.hasOwn(annotations, key) ? annotations[key] : undefined;
}
