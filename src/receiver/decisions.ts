// What is decided for one GitHook about one push, and said on it as an Event. Called by receive.ts; never throws.
import type { GitHook } from '../api/githook.ts';
import type { Push } from '../api/push.ts';
import { messageOf, TerminalError } from '../errors.ts';
import { ApiError, type Kube } from '../kube/kube.ts';
import type { EventRecorder } from '../kube/recorder.ts';
import type { Log } from '../log.ts';
import type { Slots } from '../slots.ts';
import { oneLine } from '../text.ts';
import { patternsOf } from './match.ts';
import { decisionFor, type GitHookDecision } from './outcome.ts';
import { type Recorded, record } from './record.ts';
import type { Recording } from './run-object.ts';

export interface DecisionDeps {
  readonly kube: Kube;
  readonly recorder: EventRecorder;
  readonly log: Log;
  /** Limits how many are recorded at the same time. */
  readonly recordings: Slots;
}

/** The API server takes 1024 bytes for the message of an Event. */
const maxEventText = 500;
const maxEventRef = 200;

/** Says that the push fits none of the GitHook's patterns. */
export function ignore(gitHook: GitHook, push: Push, { recorder }: Pick<DecisionDeps, 'recorder'>): GitHookDecision {
  const patterns = oneLine(patternsOf(gitHook).join(', '), maxEventText);
  const message = `the push of ${shortName(push)} fits none of its branches: ${patterns}`;
  recorder.event(gitHook, 'Normal', 'PushIgnored', message);
  return decisionFor(gitHook, { decision: 'NotMatched', reason: 'NoPatternFits', message });
}

/** Stores the push's run, or says why there is none: Refused will last until a person changes something, Unavailable may not. */
export async function run(recording: Recording, deps: DecisionDeps, signal: AbortSignal): Promise<GitHookDecision> {
  try {
    const recorded = await deps.recordings.run(() => record(recording, { kube: deps.kube, signal }), signal);
    return decisionFor(recording.gitHook, told(recorded));
  } catch (error) {
    return refusal(recording, error, deps);
  }
}

function told({ kind, run }: Recorded): Omit<GitHookDecision, 'name'> {
  if (kind === 'created') return { decision: 'RunCreated', run };
  if (kind === 'duplicate') return { decision: 'Duplicate', reason: 'DeliveryKnown', run };
  return { decision: 'Duplicate', reason: 'AnotherWebhook', message: 'another webhook told of the same push', run };
}

function refusal({ gitHook, push }: Recording, error: unknown, { recorder, log }: DecisionDeps): GitHookDecision {
  const said = oneLine(messageOf(error), maxEventText);
  const reason = lastingReason(error);
  const decision = decisionFor(gitHook, { decision: reason === undefined ? 'Unavailable' : 'Refused' });
  log.warn({ githook: decision.name, ref: push.ref, commit: push.commit, reason, error: said }, 'run not recorded');
  if (reason === undefined) return { ...decision, reason: 'NotStored' };
  const message = `the run for ${shortName(push)} was refused: ${said}`;
  recorder.event(gitHook, 'Warning', 'PushRefused', message);
  return { ...decision, reason, message };
}

/** Why sending the delivery again would not help (permissions, quota, policy, a namespace that ends); undefined where it may. */
function lastingReason(error: unknown): string | undefined {
  if (error instanceof TerminalError) return error.reason;
  if (!(error instanceof ApiError) || ![400, 403, 413, 422].includes(error.status)) return undefined;
  return error.reason === '' ? `Status${error.status}` : error.reason;
}

function shortName({ ref, commit }: Push): string {
  return `${oneLine(ref, maxEventRef)} (${commit.slice(0, 12)})`;
}
