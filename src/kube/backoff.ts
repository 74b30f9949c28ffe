// How long to wait after the next failure in a row. Used by reflectors and the Event recorder.

export interface BackoffOptions {
  readonly baseMs: number;
  readonly maxMs: number;
  /** From 0 to 1. */
  readonly random: () => number;
}

/** Doubles up to maxMs; each wait is shortened by up to half, so that many clients do not come back at once. */
export class Backoff {
  readonly #options: BackoffOptions;
  #failures = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** Counts a failure; milliseconds to wait for it. */
  next(): number {
    const { baseMs, maxMs, random } = this.#options;
    const delay = Math.min(maxMs, baseMs * 2 ** this.#failures);
    this.#failures = Math.min(this.#failures + 1, 30);
    return delay * (0.5 + random() / 2);
  }

  reset(): void {
    this.#failures = 0;
  }
}
