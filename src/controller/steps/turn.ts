// Before spine 2: a run that only waits for its turn to fetch is not even read. With thousands of them that is what counts.
import { isCancelAsked } from '../../api/by-hand.ts';
import type { GitHookRun } from '../../api/githookrun.ts';
import type { RunContext } from '../run-context.ts';
import { lineOf } from './prepare.ts';

/**
 * After how many milliseconds to ask again for the run with this key; undefined where it is to be looked at now. By what the
 * watch shows, which may be old: at worst a run waits for a turn that it does not need.
 */
export function waitForTurn(key: string, { shown, fetchTurns }: RunContext): number | undefined {
  const run = shown(key);
  return run && isToFetch(run) ? fetchTurns.wait(lineOf(run), key) : undefined;
}

/** Whether the next step is to fetch its manifest, and not to be skipped or ended. */
function isToFetch(run: GitHookRun): boolean {
  const { phase = 'Pending', resource } = run.status ?? {};
  const isGoing = run.metadata.deletionTimestamp !== undefined || isCancelAsked(run) || run.spec.suspend === true;
  return phase === 'Pending' && resource === undefined && !isGoing;
}
