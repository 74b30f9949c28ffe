// What people ask for by annotation, apart from cancelling what goes on (spine 2 does that): answered once a value, with an
// Event that says what came of it. A run is named by what was asked, so that asking, or answering, twice makes one.
import { lateCancel, rerunAsked, runNowAsked } from '../../api/by-hand.ts';
import type { GitHook } from '../../api/githook.ts';
import type { GitHookRun } from '../../api/githookrun.ts';
import { formatKey, keyOf, parseKey } from '../../api/object.ts';
import type { ByHandContext } from './context.ts';
import { answerRun } from './rerun.ts';
import { answerGitHook } from './run-now.ts';

/** The queue key of a GitHook that asks for something; undefined where it does not. */
export function gitHookAsks(gitHook: GitHook): string | undefined {
  return runNowAsked(gitHook) === undefined ? undefined : `githook ${formatKey(keyOf(gitHook))}`;
}

/** The same for a run. */
export function runAsks(run: GitHookRun): string | undefined {
  const asks = rerunAsked(run) !== undefined || lateCancel(run) !== undefined;
  return asks ? `run ${formatKey(keyOf(run))}` : undefined;
}

/** Answers what the object with this queue key asks. Returns when to come back, in milliseconds. */
export async function answer(key: string, context: ByHandContext, signal: AbortSignal): Promise<number | undefined> {
  const [kind, object = ''] = key.split(' ');
  return kind === 'run' ? answerRun(object, context, signal) : answerGitHook(parseKey(object), context, signal);
}
