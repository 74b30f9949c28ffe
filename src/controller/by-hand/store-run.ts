// Runs that a person asked for, in the API server. Called by rerun.ts and run-now.ts.
import type { GitHookRun } from '../../api/githookrun.ts';
import { runType } from '../../api/keys.ts';
import { TerminalError } from '../../errors.ts';
import { ApiError, isAlreadyExists, type Kube } from '../../kube/kube.ts';

/** Stores the run; false where it was there before. Throws TerminalError RunRefused for what will not change by itself. */
export async function storeRun(run: GitHookRun, kube: Kube, signal: AbortSignal): Promise<boolean> {
  try {
    await kube.create(runType, run, { signal });
    return true;
  } catch (error) {
    if (isAlreadyExists(error)) return false;
    if (!(error instanceof ApiError) || ![400, 403, 413, 422].includes(error.status)) throw error;
    throw new TerminalError('RunRefused', `the API server refuses the run: ${error.message}`, { cause: error });
  }
}
