// A clock that stands still until a test moves it: waits of minutes take no time, and none ends by itself.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../../src/clock.ts';

interface Sleeper {
  readonly due: number;
  wake(): void;
}

export class ManualClock implements Clock {
  readonly #start: number;
  readonly #sleepers = new Set<Sleeper>();
  #ms = 0;

  /** `start`: what now() says at first. */
  constructor(start = Date.parse('2026-11-22T12:00:00Z')) {
    this.#start = start;
  }

  now(): number {
    return this.#start + this.#ms;
  }

  monotonic(): number {
    return this.#ms;
  }

  /** Milliseconds left of every sleep that goes on now, the shortest first. */
  sleeps(): number[] {
    return [...this.#sleepers].map(({ due }) => due - this.#ms).sort((a, b) => a - b);
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const sleeper: Sleeper = { due: this.#ms + ms, wake: resolve };
    const onAbort = (): void => reject(signal?.reason);
    this.#sleepers.add(sleeper);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      await promise;
    } finally {
      this.#sleepers.delete(sleeper);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Lets `ms` pass: sleeps end in their order, and each may start new ones that end too. */
  async advance(ms: number): Promise<void> {
    const end = this.#ms + ms;
    for (;;) {
      await nextTurn();
      const [next] = [...this.#sleepers].sort((a, b) => a.due - b.due);
      if (next === undefined || next.due > end) break;
      this.#ms = Math.max(this.#ms, next.due);
      this.#sleepers.delete(next);
      next.wake();
    }
    this.#ms = end;
  }
}
