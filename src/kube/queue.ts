// A queue of keys: each at most once in it, and never handled twice at the same time. Fed by reflectors' callbacks,
// emptied by a controller's workers. A handler reads the present state, so several adds mean one run.
import type { Clock } from '../clock.ts';

export interface QueueOptions {
  /** Of addRateLimited: the first wait of a key, then doubled each time. */
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
  readonly clock: Clock;
}

export interface RunOptions {
  readonly workers: number;
  /** If it throws, its key comes again with back-off; a worker never ends by it. */
  readonly handle: (key: string) => Promise<void>;
  readonly signal: AbortSignal;
}

/** A timer of Node ends at once when it is given more than 2^31 - 1 ms. Coming too early is harmless: the handler looks again. */
const longestDelayMs = 24 * 3_600_000;

/** A key that is to be added later. */
interface Timer {
  readonly due: number;
  readonly stop: AbortController;
}

export class Queue {
  readonly #options: QueueOptions;
  /** To be handled, in the order of their arrival; a key being handled may be here again. */
  readonly #waiting = new Set<string>();
  readonly #handling = new Set<string>();
  readonly #timers = new Map<string, Timer>();
  readonly #failures = new Map<string, number>();
  #idle: (() => void)[] = [];

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  /** Keys that are due and not being handled, or due again. */
  get length(): number {
    return this.#waiting.size;
  }

  /** Handled as soon as a worker is free; after the present run if it is being handled. */
  add(key: string): void {
    this.#waiting.add(key);
    this.#wake();
  }

  /** Added in `delayMs`, a day at the most, unless it is handled before. Of several times for one key the earliest counts. */
  addAfter(key: string, delayMs: number): void {
    if (delayMs <= 0) {
      this.add(key);
      return;
    }
    const ms = Math.min(delayMs, longestDelayMs);
    const due = this.#options.clock.monotonic() + ms;
    const before = this.#timers.get(key);
    if (before !== undefined && before.due <= due) return;
    this.#dropTimer(key);
    const stop = new AbortController();
    this.#timers.set(key, { due, stop });
    this.#options.clock.sleep(ms, stop.signal).then(
      () => {
        this.#timers.delete(key);
        this.add(key);
      },
      () => undefined,
    );
  }

  /** Added after a wait that doubles each time, until the key is forgotten; after `leastMs` where that is longer. */
  addRateLimited(key: string, leastMs = 0): void {
    const { baseDelayMs, maxDelayMs } = this.#options;
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    this.addAfter(key, Math.max(leastMs, Math.min(maxDelayMs, baseDelayMs * 2 ** failures)));
  }

  /** The next addRateLimited of this key waits as the first one did. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** Handles keys until the signal aborts; resolves when the handlers in flight are done. Keys added later are kept, unhandled. */
  async run({ workers, handle, signal }: RunOptions): Promise<void> {
    const wakeAll = (): void => {
      for (const wake of this.#idle.splice(0)) wake();
    };
    signal.addEventListener('abort', wakeAll, { once: true });
    await Promise.all(Array.from({ length: workers }, () => this.#work(handle, signal)));
    signal.removeEventListener('abort', wakeAll);
    for (const { stop } of this.#timers.values()) stop.abort();
    this.#timers.clear();
  }

  async #work(handle: RunOptions['handle'], signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const key = this.#next();
      if (key === undefined) {
        await new Promise<void>((resolve) => this.#idle.push(resolve));
        continue;
      }
      this.#waiting.delete(key);
      this.#handling.add(key);
      this.#dropTimer(key);
      try {
        await handle(key);
      } catch {
        this.addRateLimited(key);
      } finally {
        this.#handling.delete(key);
        if (this.#waiting.has(key)) this.#wake();
      }
    }
  }

  /** What it was to come for is looked at now; the handler says when to come next. */
  #dropTimer(key: string): void {
    this.#timers.get(key)?.stop.abort();
    this.#timers.delete(key);
  }

  /** The oldest waiting key that nobody handles now. */
  #next(): string | undefined {
    for (const key of this.#waiting) {
      if (!this.#handling.has(key)) return key;
    }
    return undefined;
  }

  #wake(): void {
    this.#idle.shift()?.();
  }
}
