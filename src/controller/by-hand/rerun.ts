// What is asked of a run that is there: to run its commit again, or, too late, to be cancelled.
import { handledAs, lateCancel, rerunAsked } from '../../api/by-hand.ts';
import type { GitHook } from '../../api/githook.ts';
import type { GitHookRun } from '../../api/githookrun.ts';
import { runNameByHand } from '../../api/identity.ts';
import { byHand, gitHookKey, gitHookType } from '../../api/keys.ts';
import { newRun } from '../../api/new-run.ts';
import { parseKey } from '../../api/object.ts';
import { TerminalError } from '../../errors.ts';
import { isNotFound } from '../../kube/kube.ts';
import type { ByHandContext } from './context.ts';
import { storeRun } from './store-run.ts';

export async function answerRun(key: string, context: ByHandContext, signal: AbortSignal): Promise<undefined> {
  const run = await context.runs.read(key, signal);
  if (run === undefined || run.metadata.deletionTimestamp !== undefined) return;
  const value = rerunAsked(run);
  if (value !== undefined) {
    await rerun(run, value, context, signal);
    await context.runs.update(key, ({ status }) => ({ ...status, handledRerun: handledAs(value) }), signal);
  }
  const late = lateCancel(run);
  if (late === undefined) return;
  const { phase, reason } = run.status ?? {};
  const message = `${byHand.cancel} changes nothing: the run had ended before, ${phase}/${reason}`;
  context.recorder.event(run, 'Normal', 'CancelIgnored', message);
  await context.runs.update(key, ({ status }) => ({ ...status, handledCancel: handledAs(late) }), signal);
}

/** The same commit of the same push, as the GitHook is now: mostly that is what was corrected meanwhile. */
async function rerun(run: GitHookRun, value: string, context: ByHandContext, signal: AbortSignal): Promise<void> {
  const { recorder, kube } = context;
  try {
    // Nobody has seen it yet: it comes from a backup, with an annotation that was answered long ago.
    if (run.status?.phase === undefined)
      throw new TerminalError('NotBegun', 'the run has not begun itself. Set another value once it has');
    const again = runAgain(run, await gitHookOf(run, context, signal), value, context.clock.now());
    if (!(await storeRun(again, kube, signal))) return;
    const { ref, commit } = run.spec;
    const message = `run ${again.metadata.name} runs ${ref} (${commit.slice(0, 12)}) again`;
    recorder.event(run, 'Normal', 'RerunStarted', message);
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
    recorder.event(run, 'Warning', 'RerunRefused', `${byHand.rerun} starts nothing: ${error.message}`);
  }
}

async function gitHookOf(run: GitHookRun, { kube }: ByHandContext, signal: AbortSignal): Promise<GitHook> {
  const { name, uid } = run.spec.gitHookRef;
  try {
    const gitHook = await kube.get<GitHook>(gitHookType, parseKey(gitHookKey(run)), { signal });
    if (gitHook.metadata.uid === uid && gitHook.metadata.deletionTimestamp === undefined) return gitHook;
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  throw new TerminalError('GitHookGone', `the GitHook "${name}" of this run no longer exists`);
}

function runAgain(run: GitHookRun, gitHook: GitHook, value: string, nowMs: number): GitHookRun {
  const { forge, ref, before, after, commit, author, message } = run.spec;
  const { uid = '', name: rerunOf = '' } = run.metadata;
  return newRun(gitHook, runNameByHand(gitHook.metadata.name ?? '', { what: 'rerun', uid, value }), {
    ...{ source: 'Manual', rerunOf, sequence: 1, receivedTime: new Date(nowMs).toISOString() },
    ...{ forge, ref, after, commit },
    ...(before !== undefined && { before }),
    ...(author !== undefined && { author }),
    ...(message !== undefined && { message }),
  });
}
