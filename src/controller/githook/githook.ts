// Keeps each GitHook's status true: what its last push did, how often it ran, whether a person must act; and its runs within
// the history limits. Runs that go on are the receiver's and spine 2's.
import { isDeepStrictEqual } from 'node:util';
import type { GitHook, GitHookStatus } from '../../api/githook.ts';
import { byHand, gitHookType } from '../../api/keys.ts';
import { formatKey, keyOf } from '../../api/object.ts';
import { repositoryOf } from '../../api/repository.ts';
import { type Clock, formatTime } from '../../clock.ts';
import { ifFound, isConflict, type Kube } from '../../kube/kube.ts';
import type { EventRecorder } from '../../kube/recorder.ts';
import type { Store } from '../../kube/reflector.ts';
import type { Arrivals } from '../by-hand/arrivals.ts';
import { prune } from '../history/prune.ts';
import { type RecoveryNotes, withNotes } from '../recovery/notes.ts';
import type { RunIndex } from '../run-index.ts';
import { contextOf } from '../telling/report.ts';
import type { SinkKey } from '../telling/sinks.ts';
import type { AccountCheck } from './account-check.ts';
import { gitHookStatus, type Problem, refusedRun } from './githook-status.ts';

export interface GitHookContext {
  readonly kube: Kube;
  readonly clock: Clock;
  readonly recorder: EventRecorder;
  readonly index: RunIndex;
  readonly arrivals: Pick<Arrivals, 'valueOf'>;
  readonly statusContext: string;
  readonly account: Pick<AccountCheck, 'look'>;
  /** How the search for lost pushes goes. */
  readonly recovery: Pick<RecoveryNotes, 'of' | 'written'>;
  readonly gitHooks: Pick<Store<GitHook>, 'get' | 'byIndex'>;
  /** Has the sinks that refused asked again, for all runs of this GitHook. */
  askAgain(gitHookUid: string): void;
  /** What to do about a sink that the notification file has no entry for; undefined when it has one. */
  missingEntry(sink: SinkKey): string | undefined;
}

/** Writes the GitHook's status where it says something else than is stored, then deletes runs. Returns when to come back, in milliseconds. */
export async function reconcileGitHook(
  key: string,
  context: GitHookContext,
  signal: AbortSignal,
): Promise<number | undefined> {
  const shown = context.gitHooks.get(key);
  if (shown === undefined) return undefined;
  try {
    return await keep(shown, context, signal);
  } catch (error) {
    if (!isConflict(error)) throw error;
    // The watch is behind, or has lost an event: then it would be so for minutes.
    const stored = await ifFound(context.kube.get<GitHook>(gitHookType, keyOf(shown), { signal }));
    return stored && stored.metadata.uid === shown.metadata.uid ? keep(stored, context, signal) : undefined;
  }
}

async function keep(gitHook: GitHook, context: GitHookContext, signal: AbortSignal): Promise<number | undefined> {
  if (gitHook.metadata.deletionTimestamp !== undefined) return undefined;
  const { uid = '' } = gitHook.metadata;
  const runs = context.index.of(uid);
  const account = await context.account.look(gitHook, refusedRun(gitHook, runs), signal);
  const facts = {
    runs,
    problem: account.problem ?? problemOf(gitHook, context),
    cameWith: context.arrivals.valueOf(gitHook),
  };
  // Its last word was refused for that, which its status shows until it has been said.
  if (isContextTaken(gitHook.status) && facts.problem?.reason !== 'ContextTaken') context.askAgain(uid);
  const notes = context.recovery.of(uid);
  const recovery = withNotes(gitHook.status?.recovery, notes);
  const status = {
    ...gitHookStatus(gitHook, facts, formatTime(context.clock.now())),
    ...(recovery !== undefined && { recovery }),
  };
  const stored = isDeepStrictEqual(status, gitHook.status)
    ? gitHook
    : await context.kube.replace<GitHook>(gitHookType, { ...gitHook, status }, { subresource: 'status', signal });
  if (facts.cameWith !== undefined) {
    const message = `${byHand.runNow} starts nothing: the GitHook came with it, so nobody has asked for a run. Set another value to run`;
    context.recorder.event(gitHook, 'Normal', 'RunNowIgnored', message);
  }
  context.recovery.written(uid, notes);
  return Math.min(account.againMs ?? Number.POSITIVE_INFINITY, await prune(stored, runs, context, signal));
}

/** Under what the store finds GitHooks: their repository, and whether they wait for a context. */
export function indexValues(gitHook: GitHook): readonly string[] {
  return [repositoryOf(gitHook) ?? noRepository, ...(isContextTaken(gitHook.status) ? [waitsForContext] : [])];
}

/** Those whose context a change of this one may take or free: they are of its repository, or were, and wait. */
export function contenders(changed: GitHook, gitHooks: Pick<Store<GitHook>, 'byIndex'>): readonly GitHook[] {
  return [...gitHooks.byIndex(repositoryOf(changed) ?? noRepository), ...gitHooks.byIndex(waitsForContext)];
}

// No canonical repository is without a slash.
const waitsForContext = 'waits for a context';
const noRepository = 'of no repository';

/** Whether a GitHook waits for the context that another one has. */
function isContextTaken(status: GitHookStatus | undefined): boolean {
  return status?.conditions?.some((one) => one.type === 'Stalled' && one.reason === 'ContextTaken') ?? false;
}

function problemOf(gitHook: GitHook, context: GitHookContext): Problem | undefined {
  if (gitHook.spec.branches?.length === 0) return noBranches;
  const { github, slack } = gitHook.spec.notification ?? {};
  for (const sink of [
    { type: 'github', name: github },
    { type: 'slack', name: slack },
  ]) {
    const message = sink.name ? context.missingEntry({ type: sink.type, name: sink.name }) : undefined;
    if (message) return { reason: 'NotificationNotFound', message };
  }
  return github ? contextTaken(gitHook, context) : undefined;
}

/** The API server refuses it today, but not for one that is stored. */
const noBranches: Problem = {
  reason: 'NoBranches',
  message: 'spec.branches is empty, so no push runs anything: name branches, or "*" for every branch and tag.',
};

/** Two GitHooks of one repository with one context would overwrite each other's commit statuses: the older one has it. */
export function contextTaken(
  gitHook: GitHook,
  context: Pick<GitHookContext, 'gitHooks' | 'statusContext'>,
): Problem | undefined {
  const statusContext = (hook: GitHook): string => contextOf(nameOf(hook), hook.spec.notification?.context, context);
  const other = context.gitHooks
    .byIndex(repositoryOf(gitHook) ?? noRepository)
    .find(
      (hook) =>
        hook.metadata.uid !== gitHook.metadata.uid &&
        hook.spec?.notification?.github &&
        statusContext(hook) === statusContext(gitHook) &&
        isOlder(hook, gitHook),
    );
  if (other === undefined) return undefined;
  const message = `GitHook ${nameOf(other)} reports commit statuses of this repository under the same context. Set another spec.notification.context.`;
  return { reason: 'ContextTaken', message };
}

function nameOf(gitHook: GitHook): string {
  return formatKey(keyOf(gitHook));
}

function isOlder(a: GitHook, b: GitHook): boolean {
  const [createdA = '', createdB = ''] = [a.metadata.creationTimestamp, b.metadata.creationTimestamp];
  return createdA === createdB ? (a.metadata.uid ?? '') < (b.metadata.uid ?? '') : createdA < createdB;
}
