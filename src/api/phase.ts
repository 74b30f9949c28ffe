// Where a run stands, and the words that follow from it. No I/O.
import { type ConditionStatus, withCondition } from './conditions.ts';
import type { GitHookRun, GitHookRunStatus, GitHookRunStatusSink } from './githookrun.ts';

export type Phase = NonNullable<GitHookRunStatus['phase']>;

/** What a run can have to say; Superseded is that another one speaks. */
export type Word = Exclude<NonNullable<GitHookRunStatusSink['desired']>, 'Superseded'>;

/** The reason of a run that a person ended: it says nothing about the commit, so it is told as an error and not as a failure. */
export const cancelled = 'Cancelled';

/** The longest message that status holds, in characters: enough for the API server's words, small enough for etcd. */
const messageLimit = 4096;

const succeeded: Readonly<Record<Phase, ConditionStatus>> = {
  Pending: 'Unknown',
  Creating: 'Unknown',
  Running: 'Unknown',
  Succeeded: 'True',
  Failed: 'False',
  Skipped: 'False',
};

export function isEnded(run: GitHookRun): boolean {
  const phase = run.status?.phase;
  return phase !== undefined && succeeded[phase] !== 'Unknown';
}

/** Whether nothing is left to do for the run itself; its sinks are another matter. */
export function isSettled(run: GitHookRun): boolean {
  return isEnded(run) && (run.status?.resource?.uid === undefined || run.status.handedBack === true);
}

/** What a run's new standing says. */
export interface Standing {
  readonly phase: Phase;
  readonly reason: string;
  readonly message: string;
  readonly resource?: GitHookRunStatus['resource'];
  readonly startTime?: string;
  readonly completionTime?: string;
}

/** Whether a status that says this already would be written again for nothing. */
export function says(status: GitHookRunStatus | undefined, standing: Standing): boolean {
  return (
    status?.phase === standing.phase &&
    status.reason === standing.reason &&
    status.message === cut(standing.message) &&
    (standing.resource === undefined || standing.resource.uid === status.resource?.uid)
  );
}

/** The whole status of a run that stands so: phase, condition, times, and what each sink is to be told. `now` is RFC 3339. */
export function withStanding(run: GitHookRun, standing: Standing, now: string): GitHookRunStatus {
  const before = run.status ?? {};
  const message = cut(standing.message);
  const ended = succeeded[standing.phase] !== 'Unknown';
  const resource = standing.resource ?? before.resource;
  const startTime = standing.startTime ?? before.startTime;
  const completionTime = ended ? (standing.completionTime ?? now) : undefined;
  const condition = {
    type: 'Succeeded',
    status: succeeded[standing.phase],
    reason: standing.reason,
    message,
    observedGeneration: run.metadata.generation ?? 1,
  };
  return {
    ...before,
    phase: standing.phase,
    reason: standing.reason,
    message,
    ...(resource && { resource }),
    ...(startTime && { startTime }),
    ...(completionTime && { completionTime }),
    conditions: withCondition(before.conditions, condition, now),
    sinks: sinksOf(run, stateOf(standing, resource)),
  };
}

/** What people are to be told of a run as it stands; undefined while there is nothing to tell. */
export function wordOf({ status }: GitHookRun): Word | undefined {
  return status?.phase && stateOf({ phase: status.phase, reason: status.reason ?? '' }, status.resource);
}

function stateOf(
  { phase, reason }: Pick<Standing, 'phase' | 'reason'>,
  resource: GitHookRunStatus['resource'],
): Word | undefined {
  if (phase === 'Running') return 'Started';
  if (phase === 'Succeeded') return 'Succeeded';
  if (phase === 'Failed') return resource?.uid === undefined || reason === cancelled ? 'Error' : 'Failed';
  return undefined;
}

/** The run's sinks, each wanting `desired`. A new wish is tried at once, whatever delay the old one had. */
function sinksOf(run: GitHookRun, desired: Word | undefined): readonly GitHookRunStatusSink[] {
  const { github, slack } = run.spec.notification ?? {};
  const named = [
    { type: 'github', name: github },
    { type: 'slack', name: slack },
  ];
  return named.flatMap(({ type, name }) => {
    if (!name) return [];
    const before = run.status?.sinks?.find((sink) => sink.type === type && sink.name === name);
    if (desired === undefined || before?.desired === desired) return [before ?? { type, name }];
    const { told, toldTime } = before ?? {};
    return [{ type, name, desired, ...(told && { told }), ...(toldTime && { toldTime }) }];
  });
}

function cut(text: string): string {
  // Half a character would come back from the API server as another one, and the status would never say what it should.
  return (text.length <= messageLimit ? text : `${text.slice(0, messageLimit - 1)}…`).toWellFormed();
}
