// The first step of spine 2: from a recorded push to the object that is to be created.
import type { GitHookRun } from '../../api/githookrun.ts';
import { canonicalRepository } from '../../api/repository.ts';
import { messageOf, TerminalError, WaitingError } from '../../errors.ts';
import { readCredentials } from '../credentials.ts';
import type { Line } from '../limited-turns.ts';
import type { Prepared, RunContext } from '../run-context.ts';
import { stand } from './stand.ts';

/** How long a manifest is tried to be fetched before the run fails: an outage of an hour is somebody's to look at. */
const fetchLimitMs = 60 * 60 * 1000;

/** The server as far as it can be told: with its port in a URL, by its name in git@host:path. */
export function serverOf(repository: string): string {
  return URL.parse(repository)?.host || (canonicalRepository(repository)?.split('/', 1)[0] ?? '');
}

/** Where a run stands in line for its fetch: repositories of one server get turns one after another. */
export function lineOf({ spec: { repository } }: GitHookRun): Line {
  return { server: serverOf(repository), lane: canonicalRepository(repository) ?? repository };
}

/** The manifest at the commit, made ready for this run. What may work later is shown on the run while it is tried again. */
export async function prepare(run: GitHookRun, context: RunContext, signal: AbortSignal): Promise<Prepared> {
  const { repository: url, commit, ref, manifest: path } = run.spec;
  try {
    const credentials = await readCredentials(run, context.actingFor(run), signal);
    const text = await context.manifests.read({ url, commit, ref, path }, credentials, signal);
    return context.parse(text, run);
  } catch (error) {
    if (error instanceof TerminalError || signal.aborted) throw error;
    await writeTrouble(run, error, context, signal);
    throw error;
  }
}

/** Shows why the manifest is not there yet. Throws TerminalError FetchTimeout when it has been so for too long. */
async function writeTrouble(run: GitHookRun, error: unknown, context: RunContext, signal: AbortSignal): Promise<void> {
  const path = run.spec.manifest;
  const { reason, message } =
    error instanceof WaitingError
      ? error
      : new WaitingError('FetchFailed', `kube-git could not fetch ${path}: ${messageOf(error)}.`);
  if (context.clock.now() - triedSince(run, context) > fetchLimitMs) {
    throw new TerminalError('FetchTimeout', `Gave up fetching ${path} after an hour: ${message}`, { cause: error });
  }
  // A run that was about to create stays so: the name it has written down is what a crash is recovered by.
  const phase = run.status?.phase === 'Creating' ? 'Creating' : 'Pending';
  await stand(run, { phase, reason, message: `${message} It is tried again.` }, context, signal);
}

/** When the run said its first word, which the first failure is; not when it was made, because kube-git may have been away since. */
function triedSince(run: GitHookRun, context: RunContext): number {
  const began = run.status?.conditions?.find(({ type, status }) => type === 'Succeeded' && status === 'Unknown');
  return began === undefined ? context.clock.now() : Date.parse(began.lastTransitionTime);
}
