// When a GitHook's repository is looked at. Pure. GitHooks of one repository are looked at in the same moment, so that one
// connection does for all; repositories are spread over the interval.
import { createHash } from 'node:crypto';
import type { GitHook } from '../../api/githook.ts';

/** A person may write less; forges would take it for an attack. */
const shortestIntervalMs = 30_000;
/** A look a moment before its time counts for it. */
const nearMs = 5_000;

/** How often: what the GitHook says, else `defaultMs`; 0 is never. */
export function intervalOf(gitHook: GitHook, defaultMs: number): number {
  const seconds = gitHook.spec.poll?.intervalSeconds;
  if (seconds === undefined) return defaultMs;
  return seconds <= 0 ? 0 : Math.max(shortestIntervalMs, seconds * 1000);
}

/** Milliseconds until the next time of this repository: the same moment for all who ask, a different one for each repository. */
export function untilNext(repository: string, intervalMs: number, nowMs: number): number {
  const sinceMs = (nowMs - spreadOf(repository, intervalMs)) % intervalMs;
  const untilMs = intervalMs - sinceMs;
  return untilMs < Math.min(nearMs, intervalMs / 4) ? untilMs + intervalMs : untilMs;
}

/** A number of milliseconds below `limitMs`, always the same for the same text. */
export function spreadOf(text: string, limitMs: number): number {
  return createHash('sha256').update(text).digest().readUInt32BE(0) % Math.max(1, limitMs);
}
