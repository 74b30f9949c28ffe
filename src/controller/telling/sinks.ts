// What is to be told to whom next, worked out from what the run says. Pure; tell.ts does it.
import type { GitHookRun, GitHookRunStatus, GitHookRunStatusSink } from '../../api/githookrun.ts';
import { TerminalError, WaitingError } from '../../errors.ts';
import type { ReportState } from '../../notifier/notifier.ts';

/** Between two attempts to tell: doubling from two seconds to five minutes, so that a sink that is back hears soon. */
const firstDelayMs = 2_000;
const longestDelayMs = 5 * 60_000;

/** A wait that is longer than what any sink may ask for comes from a clock that was wrong: it is not kept. */
const longestWaitMs = 60 * 60_000;

/** The longest error kept in status, in characters. */
const errorLimit = 1024;

export interface SinkKey {
  readonly type: string;
  readonly name: string;
}

/** What is to be said to a sink now, when later, or that there is nothing (left) to say. */
export type Plan =
  | { readonly kind: 'send'; readonly state: ReportState }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'done' };

/**
 * What may be outdated of the last attempt: nothing; a refusal, because kube-git has started anew and the entry may have
 * changed meanwhile; all of it, because the entry has changed. A start alone does not cut short a wait that a sink asked for.
 */
export type Outdated = 'nothing' | 'refusal' | 'all';

/** Whether the sink has not heard what it is to be told, be it that it refuses. */
export function isOwed(sink: GitHookRunStatusSink): sink is GitHookRunStatusSink & { readonly desired: ReportState } {
  return sink.desired !== undefined && sink.desired !== 'Superseded' && sink.desired !== sink.told;
}

/** What to do for a sink now. */
export function plan(sink: GitHookRunStatusSink, nowMs: number, outdated: Outdated): Plan {
  if (!isOwed(sink)) return { kind: 'done' };
  const { desired, nextAttemptTime, lastError } = sink;
  if (nextAttemptTime !== undefined) {
    const ms = Date.parse(nextAttemptTime) - nowMs;
    return ms > 0 && ms <= longestWaitMs && outdated !== 'all'
      ? { kind: 'wait', ms }
      : { kind: 'send', state: desired };
  }
  return lastError !== undefined && outdated === 'nothing' ? { kind: 'done' } : { kind: 'send', state: desired };
}

/** Whether the sink refused for good: a person must change the entry or the spec. */
export function isRefused(sink: GitHookRunStatusSink): boolean {
  return sink.lastError !== undefined && sink.nextAttemptTime === undefined && isOwed(sink);
}

export function findSink(run: GitHookRun, key: SinkKey): GitHookRunStatusSink | undefined {
  return run.status?.sinks?.find((sink) => sink.type === key.type && sink.name === key.name);
}

/** The sink of a run that has the word again after another one has spoken. */
export function spokenOver(sink: GitHookRunStatusSink, word: ReportState | undefined): GitHookRunStatusSink {
  return word === undefined ? sink : { ...sink, desired: word, told: 'Unknown' };
}

/** The status with this sink changed and everything else as it is. */
export function withSink(run: GitHookRun, sink: GitHookRunStatusSink): GitHookRunStatus {
  const sinks = (run.status?.sinks ?? []).map((other) =>
    other.type === sink.type && other.name === sink.name ? sink : other,
  );
  return { ...run.status, sinks };
}

/**
 * The sink after `state` was accepted. `before` is what it had been told when the sending began: if another has told
 * it something meanwhile, nobody knows which came last, and it is told again.
 */
export function accepted(
  sink: GitHookRunStatusSink,
  state: ReportState,
  before: GitHookRunStatusSink,
  now: string,
): GitHookRunStatusSink {
  const { type, name, desired } = sink;
  const told = sink.told === before.told ? state : 'Unknown';
  return { type, name, ...(desired && { desired }), told, toldTime: now };
}

/** The sink after an attempt failed: tried again later, or, where that cannot help, left until something changes. */
export function failed(sink: GitHookRunStatusSink, error: unknown, nowMs: number): GitHookRunStatusSink {
  const attempts = (sink.attempts ?? 0) + 1;
  const reason = error instanceof TerminalError || error instanceof WaitingError ? error.reason : 'SendFailed';
  const message = error instanceof Error ? error.message : String(error);
  const { nextAttemptTime: _, ...rest } = sink;
  const refused = { ...rest, attempts, lastError: `${reason}: ${message}`.slice(0, errorLimit) };
  if (error instanceof TerminalError) return refused;
  const delayMs = Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(attempts - 1, 20));
  const askedMs = error instanceof WaitingError ? (error.retryAfterMs ?? 0) : 0;
  return { ...refused, nextAttemptTime: new Date(nowMs + Math.max(delayMs, askedMs)).toISOString() };
}
