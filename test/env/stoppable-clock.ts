// The clock of one process of several in a test: it may run faster or slower than the others', and it goes on while the
// process is stopped (SIGSTOP), whose timers then all come late.
import type { Clock } from '../../src/clock.ts';

export class StoppableClock implements Clock {
  readonly #base: Clock;
  readonly #rate: number;
  #stopped: PromiseWithResolvers<void> | undefined;

  constructor(base: Clock, rate: number) {
    this.#base = base;
    this.#rate = rate;
  }

  now(): number {
    return this.#base.now();
  }

  monotonic(): number {
    return this.#base.monotonic() * this.#rate;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    await this.#base.sleep(ms / this.#rate, signal);
    await this.#stopped?.promise;
    signal?.throwIfAborted();
  }

  /** No timer fires any more. */
  freeze(): void {
    this.#stopped ??= Promise.withResolvers<void>();
  }

  /** Those that were due meanwhile fire now. */
  thaw(): void {
    this.#stopped?.resolve();
    this.#stopped = undefined;
  }
}
