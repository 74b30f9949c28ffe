// What a GitHook's status says, worked out from its spec and its runs. Pure; githook.ts writes it.
import { handledAs } from '../../api/by-hand.ts';
import { type ConditionStatus, withCondition } from '../../api/conditions.ts';
import type { GitHook, GitHookStatus } from '../../api/githook.ts';
import type { GitHookRun } from '../../api/githookrun.ts';
import { cancelled } from '../../api/phase.ts';
import { createdRuns } from '../history/history.ts';
import { isRefused } from '../telling/sinks.ts';

const noPermission = 'NoPermission';

/** What only the controller knows. */
export interface GitHookFacts {
  /** Its runs, newest first. */
  readonly runs: readonly GitHookRun[];
  /** What is wrong as things stand: a right that is missing, a sink without an entry, a context that is taken. */
  readonly problem: Problem | undefined;
  /** The value of the annotation run-now that a new GitHook came with, which nobody has set by hand. */
  readonly cameWith?: string | undefined;
}

export interface Problem {
  readonly reason: string;
  readonly message: string;
}

/** The status to write; fields that kube-git does not know are kept. `now` is RFC 3339. */
export function gitHookStatus(gitHook: GitHook, facts: GitHookFacts, now: string): GitHookStatus {
  const before = gitHook.status ?? {};
  const created = createdRuns(gitHook, facts.runs);
  // The 2019 program counted in triggerCount alone: what it counted is kept as runs that are no longer there.
  const prunedRuns = before.prunedRuns ?? before.triggerCount ?? 0;
  const observedGeneration = gitHook.metadata.generation ?? 1;
  const stalled = facts.problem ?? refusedSink(facts.runs[0]);
  const ready = readiness(gitHook, facts.runs[0], stalled);
  const conditions = [
    { type: 'Ready', status: ready.status, reason: ready.reason, message: ready.message, observedGeneration },
    {
      type: 'Stalled',
      status: stalled ? ('True' as const) : ('False' as const),
      reason: stalled?.reason ?? 'NothingToDo',
      message: stalled?.message ?? 'Nothing needs to be changed by a person.',
      observedGeneration,
    },
  ];
  return {
    ...before,
    ...lastOf(created, gitHook),
    ...(facts.cameWith !== undefined && { handledRun: handledAs(facts.cameWith) }),
    prunedRuns,
    triggerCount: prunedRuns + created.length,
    observedGeneration,
    conditions: conditions.reduce((list, condition) => withCondition(list, condition, now), before.conditions ?? []),
  };
}

/** The original's fields, of the run whose resource was created last. */
function lastOf(created: readonly GitHookRun[], gitHook: GitHook): Partial<GitHookStatus> {
  const started = (run: GitHookRun): string => run.status?.startTime ?? '';
  const last = created.reduce<GitHookRun | undefined>(
    (newest, run) => (newest && started(newest) >= started(run) ? newest : run),
    undefined,
  );
  if (last === undefined) return {};
  const { apiVersion = '', kind = '', name = '' } = last.status?.resource ?? {};
  return {
    lastCommit: last.spec.commit,
    branch: last.spec.ref,
    author: last.spec.author ?? '',
    appliedResource: { apiVersion, kind, namespace: gitHook.metadata.namespace ?? '', name },
    ...(started(last) && { lastTrigger: started(last) }),
  };
}

function refusedSink(newest: GitHookRun | undefined): Problem | undefined {
  const sink = newest?.status?.sinks?.find(isRefused);
  if (sink?.lastError === undefined) return undefined;
  const [reason = 'NotificationRefused', ...words] = sink.lastError.split(': ');
  return { reason, message: `The notification entry ${sink.type}.${sink.name} does not work: ${words.join(': ')}` };
}

function readiness(
  gitHook: GitHook,
  newest: GitHookRun | undefined,
  stalled: Problem | undefined,
): Problem & { status: ConditionStatus } {
  if (gitHook.spec.suspend) {
    return {
      status: 'False',
      reason: 'Suspended',
      message: 'spec.suspend is true: pushes leave a Skipped run and start nothing.',
    };
  }
  const trouble = troubleOf(gitHook, newest) ?? stalled;
  if (trouble) return { status: 'False', ...trouble };
  return {
    status: 'True',
    reason: 'Listening',
    message: `A push to ${gitHook.spec.branches.join(', ')} of ${gitHook.spec.repository} runs ${gitHook.spec.manifest}.`,
  };
}

/** Why the newest push has no resource (yet), as long as the spec it ran with is the spec of today. */
function troubleOf(gitHook: GitHook, newest: GitHookRun | undefined): Problem | undefined {
  const { phase, reason = '', message = '', resource } = newest?.status ?? {};
  if (newest === undefined || resource?.uid !== undefined || !isFromSpec(newest, gitHook)) return undefined;
  if ((phase !== 'Failed' && phase !== 'Pending') || reason === noPermission || reason === cancelled) return undefined;
  return {
    reason,
    message: `The push of ${newest.spec.ref} (${newest.spec.commit.slice(0, 12)}) could not start its resource: ${message}`,
  };
}

/** The newest push if it failed for lack of rights. Whether they are still missing is a question of the present: account-check.ts. */
export function refusedRun(gitHook: GitHook, [newest]: readonly GitHookRun[]): GitHookRun | undefined {
  const { reason, resource } = newest?.status ?? {};
  const isRefusal = reason === noPermission && resource?.uid === undefined;
  return newest !== undefined && isRefusal && isFromSpec(newest, gitHook) ? newest : undefined;
}

/** Whether the run was made from what the spec says now, as far as fetching and creating go. */
function isFromSpec(run: GitHookRun, gitHook: GitHook): boolean {
  const relevant = (spec: GitHook['spec'] | GitHookRun['spec']): string =>
    JSON.stringify([
      spec.repository,
      spec.manifest,
      spec.serviceAccountName,
      spec.usernameSecret,
      spec.passwordSecret,
      spec.sshPrivateKeySecret,
      spec.knownHosts,
    ]);
  return relevant(run.spec) === relevant(gitHook.spec);
}
