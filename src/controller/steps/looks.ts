// When to look at the pods of a run whose resource alone does not tell why nothing starts. Each look is a list of pods, and often one
// of Events: where many runs wait, each is looked at more seldom, so that all together cost the same as a few.
import type { GitHookRun } from '../../api/githookrun.ts';
import { formatKey, keyOf } from '../../api/object.ts';
import type { Clock } from '../../clock.ts';
import type { Explanation } from '../../resource/pods.ts';

/** Between two looks at pods that do not start: soon after the start, later once a minute. */
const firstLookMs = 2_000;
const laterLookMs = 60_000;
/** Looks of all runs together: no more than one in so long, but for the first few. */
const eachMs = 500;
const few = 8;

interface Look {
  /** By the monotonic clock. */
  readonly due: number;
  /** What the last one found. */
  readonly found: Explanation | undefined;
}

export class Looks {
  readonly #clock: Clock;
  /** By run: the look that is to come. */
  readonly #next = new Map<string, Look>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether to look now. A run that was never asked about, as after a restart, is only looked at now where few wait. */
  isDue(run: GitHookRun): boolean {
    if (this.ageMs(run) < firstLookMs) return false;
    const next = this.#next.get(keyOfRun(run));
    return next === undefined ? this.#next.size < few : next.due <= this.#clock.monotonic();
  }

  /** What the last look found; after a restart what the run shows. */
  lastFound(run: GitHookRun): Explanation | undefined {
    const next = this.#next.get(keyOfRun(run));
    return next === undefined ? shown(run) : next.found;
  }

  /** Notes what a look has found. The next one is to be asked for. */
  note(run: GitHookRun, found: Explanation | undefined): void {
    this.#next.set(keyOfRun(run), { due: this.#clock.monotonic(), found });
  }

  /**
   * Milliseconds until the next look at the run: half the time its resource has been there, between two seconds and a minute, and
   * longer where many wait. One that is still to come stays where it is.
   */
  againMs(run: GitHookRun): number {
    const now = this.#clock.monotonic();
    const next = this.#next.get(keyOfRun(run));
    if (next !== undefined && next.due > now) return next.due - now;
    const ms = Math.min(laterLookMs, Math.max(firstLookMs, this.ageMs(run) / 2 || firstLookMs));
    const due = now + Math.max(ms, this.#next.size * eachMs);
    this.#next.set(keyOfRun(run), { due, found: this.lastFound(run) });
    return due - now;
  }

  /** There is nothing to look for at the run with this key any more. */
  forget(key: string): void {
    this.#next.delete(key);
  }

  /** Since the resource was created; NaN before. */
  ageMs(run: GitHookRun): number {
    return this.#clock.now() - Date.parse(run.status?.startTime ?? '');
  }
}

function shown({ status }: GitHookRun): Explanation | undefined {
  const { phase, reason, message } = status ?? {};
  return phase === 'Running' && reason !== undefined && message !== undefined ? { reason, message } : undefined;
}

function keyOfRun(run: GitHookRun): string {
  return formatKey(keyOf(run));
}
