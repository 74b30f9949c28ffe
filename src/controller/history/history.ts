// Which runs of a GitHook are no longer to be kept. Pure; prune.ts deletes them.
import type { GitHook } from '../../api/githook.ts';
import type { GitHookRun } from '../../api/githookrun.ts';
import { keptWindowMs } from '../../api/identity.ts';
import { isSettled } from '../../api/phase.ts';
import { canonicalRepository } from '../../api/repository.ts';
import { isOwed, isRefused } from '../telling/sinks.ts';

/** What the CRD calls the default of both limits. */
const defaultLimit = 10;

/**
 * How long every run is kept. A push that is older than the window runs nothing, so that nobody asks for its run; the hour
 * is for clocks that differ and for a delivery that is being looked at.
 */
export const keptMs = keptWindowMs + 3_600_000;

/** Runs of the same push identity: a redelivery walks them by number, so they stay or go together. */
export type Sequence = readonly GitHookRun[];

/** The runs with a resource that are to be counted one by one: those that are being deleted are in prunedRuns already. */
export function createdRuns({ status }: GitHook, runs: readonly GitHookRun[]): readonly GitHookRun[] {
  const named = new Set(status?.pruning?.map(({ uid }) => uid));
  return runs.filter((run) => run.status?.resource?.uid !== undefined && !named.has(run.metadata.uid ?? ''));
}

/** Whether nobody needs this run any more but people who look back. */
export function isPast(run: GitHookRun, nowMs: number): boolean {
  const { creationTimestamp = '', deletionTimestamp } = run.metadata;
  // Of one that took a week its owner has a week to look at the end.
  const endMs = Math.max(Date.parse(creationTimestamp), Date.parse(run.status?.completionTime ?? creationTimestamp));
  // What refused for a week waits for a person who has had a week.
  const owed = run.status?.sinks?.some((sink) => isOwed(sink) && !isRefused(sink)) ?? false;
  return isSettled(run) && !owed && deletionTimestamp === undefined && nowMs - endMs > keptMs;
}

/**
 * The sequences beyond the GitHook's limits, oldest first. Only past runs count, and a sequence goes by its newest run: it is
 * kept while that one's limit has room, and takes room for all of its runs.
 */
export function beyondLimits({ spec }: GitHook, runs: readonly GitHookRun[], nowMs: number): readonly Sequence[] {
  if (!runs.some((run) => isPast(run, nowMs))) return [];
  const past = sequencesOf(runs).filter((sequence) => sequence.every((run) => isPast(run, nowMs)));
  const room = {
    successful: spec.successfulRunsHistoryLimit ?? defaultLimit,
    failed: spec.failedRunsHistoryLimit ?? defaultLimit,
  };
  const beyond: Sequence[] = [];
  for (const sequence of past.sort((a, b) => createdMs(b) - createdMs(a))) {
    if (room[limitOf(newestOf(sequence))] <= 0) beyond.unshift(sequence);
    else for (const run of sequence) room[limitOf(run)] -= 1;
  }
  return beyond;
}

function limitOf(run: GitHookRun | undefined): 'successful' | 'failed' {
  return run?.status?.phase === 'Failed' ? 'failed' : 'successful';
}

/** Each by number. A run that was started by hand belongs to none but its own. */
function sequencesOf(runs: readonly GitHookRun[]): Sequence[] {
  const sequences = Map.groupBy(runs, ({ spec, metadata }) =>
    spec.source === 'Manual'
      ? (metadata.name ?? '')
      : JSON.stringify([canonicalRepository(spec.repository) ?? spec.repository, spec.ref, spec.after]),
  );
  return [...sequences.values()].map((sequence) => sequence.sort((a, b) => a.spec.sequence - b.spec.sequence));
}

function newestOf(sequence: Sequence): GitHookRun | undefined {
  return sequence.at(-1);
}

function createdMs(sequence: Sequence): number {
  return Date.parse(newestOf(sequence)?.metadata.creationTimestamp ?? '');
}
