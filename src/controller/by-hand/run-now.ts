// A run at the head of a ref, asked for by an annotation of the GitHook: "<ref> <anything>". What is written there is only
// looked up among what the git server lists: it reaches neither git nor a URL.
import { handledAs, runNowAsked } from '../../api/by-hand.ts';
import type { GitHook } from '../../api/githook.ts';
import type { GitHookRun } from '../../api/githookrun.ts';
import { runNameByHand } from '../../api/identity.ts';
import { byHand, gitHookType, runType } from '../../api/keys.ts';
import { maxWords, newRun } from '../../api/new-run.ts';
import { formatKey, keyOf, type ObjectKey } from '../../api/object.ts';
import { TerminalError, WaitingError } from '../../errors.ts';
import { ifFound, isConflict, isNotFound, type Kube } from '../../kube/kube.ts';
import { oneLine } from '../../text.ts';
import { readCredentials } from '../credentials.ts';
import { serverOf } from '../steps/prepare.ts';
import type { ByHandContext } from './context.ts';
import { storeRun } from './store-run.ts';

/** Characters of what was asked for that are shown. */
const maxShown = 200;
/** How long a git server is asked: who wants a run now does not want it in the night. */
const giveUpMs = 60 * 60_000;
/** Until a GitHook that is new has its first status, which says whether it came with the annotation. */
const firstStatusMs = 500;
/** How often a write that lost a race is tried again before the queue's back-off takes over. */
const conflictAttempts = 5;

export async function answerGitHook(
  key: ObjectKey,
  context: ByHandContext,
  signal: AbortSignal,
): Promise<number | undefined> {
  const gitHook = await ifFound<GitHook>(context.kube.get(gitHookType, key, { signal }));
  const value = gitHook && runNowAsked(gitHook);
  if (gitHook === undefined || value === undefined || gitHook.metadata.deletionTimestamp !== undefined)
    return undefined;
  if (gitHook.status?.observedGeneration === undefined) return firstStatusMs;
  const server = serverOf(gitHook.spec.repository);
  return context.turns.take({ server }, `githook ${formatKey(key)}`, () => runNow(gitHook, value, context, signal));
}

async function runNow(
  gitHook: GitHook,
  value: string,
  context: ByHandContext,
  signal: AbortSignal,
): Promise<undefined> {
  const { uid = '', name = '' } = gitHook.metadata;
  const runName = runNameByHand(name, { what: 'run-now', uid, value });
  const tries = `${uid} ${value}`;
  try {
    await start(gitHook, { value, runName }, context, signal);
  } catch (error) {
    const problem = lastingProblem(error, tries, context);
    if (problem === undefined) {
      if (error instanceof WaitingError)
        context.recorder.event(
          gitHook,
          'Warning',
          'RunNowWaiting',
          `${byHand.runNow} is tried again: ${error.message}`,
        );
      throw error;
    }
    const message = `${byHand.runNow} starts nothing: ${problem}. Set another value to try again`;
    context.recorder.event(gitHook, 'Warning', 'RunNowRefused', message);
  }
  context.firstTries.delete(tries);
  await markHandled(gitHook, value, context.kube, signal);
}

/** Why trying again would not help; undefined where it may. */
function lastingProblem(error: unknown, tries: string, { clock, firstTries }: ByHandContext): string | undefined {
  if (error instanceof TerminalError) return `${error.reason}: ${withoutFullStop(error.message)}`;
  if (!(error instanceof WaitingError)) return undefined;
  const nowMs = clock.monotonic();
  const sinceMs = firstTries.get(tries) ?? nowMs;
  firstTries.set(tries, sinceMs);
  return nowMs - sinceMs > giveUpMs ? `gave up after an hour: ${withoutFullStop(error.message)}` : undefined;
}

function withoutFullStop(sentence: string): string {
  return sentence.replace(/\.$/, '');
}

async function start(
  gitHook: GitHook,
  { value, runName }: { readonly value: string; readonly runName: string },
  context: ByHandContext,
  signal: AbortSignal,
): Promise<void> {
  const { kube, clock, recorder } = context;
  const key = { ...keyOf(gitHook), name: runName };
  if ((await ifFound<GitHookRun>(kube.get(runType, key, { signal }))) !== undefined) return;
  const head = await headOf(gitHook, refIn(value), context, signal);
  const run = newRun(gitHook, runName, {
    ...{ source: 'Manual', forge: 'git', sequence: 1, receivedTime: new Date(clock.now()).toISOString() },
    ...head,
  });
  if (!(await storeRun(run, kube, signal))) return;
  const message = `run ${runName} runs ${oneLine(head.ref, maxShown)} (${head.commit.slice(0, 12)}), as ${byHand.runNow} asks`;
  recorder.event(gitHook, 'Normal', 'RunNowStarted', message);
}

/** What stands before the first blank, none of which a ref can have. Empty for the default branch. */
function refIn(value: string): string {
  const [ref = ''] = value.split(/[ \t\r\n]/, 1);
  return ref === 'HEAD' ? '' : ref;
}

interface Head {
  readonly ref: string;
  readonly after: string;
  readonly commit: string;
  readonly author: string;
  readonly message: string;
}

/** Where the ref is now. A short name is a branch's, or, where there is no such branch, a tag's. */
async function headOf(gitHook: GitHook, wanted: string, context: ByHandContext, signal: AbortSignal): Promise<Head> {
  const { refs } = context;
  const url = gitHook.spec.repository;
  const credentials = await readCredentials(gitHook, context.actingFor(gitHook), signal);
  const listed = (await refs.list(url, credentials, signal)).refs;
  const full = wanted === '' ? ((await refs.defaultBranch(url, credentials, signal)) ?? '') : wanted;
  const names = full.startsWith('refs/') ? [full] : [`refs/heads/${full}`, `refs/tags/${full}`];
  const ref = names.find((name) => listed.has(name)) ?? '';
  const at = listed.get(ref);
  if (at === undefined) throw noSuchRef(wanted, url);
  const words = await refs.describe({ url, id: at.peeled }, credentials, signal);
  if (words === undefined)
    throw new TerminalError('NotACommit', `${oneLine(ref, maxShown)} of ${url} points to no commit`);
  const [author, message] = [oneLine(words.author, maxWords), oneLine(words.message, maxWords)];
  return { ref, after: at.id, commit: at.peeled, author, message };
}

function noSuchRef(wanted: string, url: string): TerminalError {
  const what =
    wanted === ''
      ? `${url} has no default branch, or does not say which it is: name a branch or tag`
      : `${url} has no branch or tag "${oneLine(wanted, maxShown)}"`;
  return new TerminalError('RefNotFound', what);
}

/** Written down last: until then the name of the run keeps it from being made twice. */
async function markHandled(gitHook: GitHook, value: string, kube: Kube, signal: AbortSignal): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const live = await ifFound<GitHook>(kube.get(gitHookType, keyOf(gitHook), { signal }));
    if (live === undefined || live.metadata.uid !== gitHook.metadata.uid) return;
    const changed = { ...live, status: { ...live.status, handledRun: handledAs(value) } };
    try {
      await kube.replace<GitHook>(gitHookType, changed, { subresource: 'status', signal });
      return;
    } catch (error) {
      if (isNotFound(error)) return;
      if (!isConflict(error) || attempt === conflictAttempts) throw error;
    }
  }
}
