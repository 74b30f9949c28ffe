// How a run's new standing is written down. Called by the steps of spine 2.
import type { GitHookRun } from '../../api/githookrun.ts';
import { type Standing, says, withStanding } from '../../api/phase.ts';
import { formatTime } from '../../clock.ts';
import type { RunContext } from '../run-context.ts';

/** Writes the standing unless the run says so already. */
export async function stand(
  run: GitHookRun,
  standing: Standing,
  context: RunContext,
  signal: AbortSignal,
): Promise<GitHookRun> {
  if (says(run.status, standing)) return run;
  const now = formatTime(context.clock.now());
  return context.runs.write(run, (newest) => withStanding(newest, standing, now), signal);
}
