// Who may ask a server now. One that hangs holds each fetch or message for a long time: without turns what it is asked
// would take every worker, and what the others are asked would not start. Waiting takes no worker.

/**
 * When a key that waits asks again by itself, should the one before it have been called and have had nothing to do. Each
 * costs a request, and stands in the queue before who is called: where many wait, only some four a second ask.
 */
const lookAgainMs = { least: 10_000, each: 250, most: 5 * 60_000 };

interface Server {
  busy: number;
  /** Keys, in the order they came. */
  readonly waiting: Set<string>;
}

export class LimitedTurns {
  readonly #limit: number;
  readonly #servers = new Map<string, Server>();
  /** Keys that were called and have not asked since, and for which server. */
  readonly #called = new Map<string, string>();
  readonly #wake: (key: string) => void;

  /** `limit` for each server; `wake` is called with a key that waits, when it may be its turn. */
  constructor(limit: number, wake: (key: string) => void) {
    this.#limit = limit;
    this.#wake = wake;
  }

  /** After how many milliseconds to ask again: it may be called before. Undefined when it is the key's turn. */
  wait(host: string, key: string): number | undefined {
    this.#called.delete(key);
    const server = this.#servers.get(host);
    if (server === undefined || server.busy < this.#limit) return undefined;
    server.waiting.add(key);
    return Math.min(lookAgainMs.most, Math.max(lookAgainMs.least, server.waiting.size * lookAgainMs.each));
  }

  /** Does the work, or, when it is not the key's turn, returns what wait() does. */
  async take<T>(host: string, key: string, work: () => Promise<T>): Promise<T | number> {
    const waitMs = this.wait(host, key);
    if (waitMs !== undefined) return waitMs;
    const server = this.#servers.get(host) ?? { busy: 0, waiting: new Set() };
    this.#servers.set(host, server);
    server.waiting.delete(key);
    server.busy += 1;
    try {
      return await work();
    } finally {
      server.busy -= 1;
      this.#next(host, server);
    }
  }

  /** To be called after a key was handled: where it had been called and did not ask, as one that is gone, the next is called. */
  pass(key: string): void {
    const host = this.#called.get(key) ?? '';
    this.#called.delete(key);
    const server = this.#servers.get(host);
    if (server !== undefined && server.busy < this.#limit) this.#next(host, server);
  }

  #next(host: string, { busy, waiting }: Server): void {
    const [key] = waiting;
    if (key === undefined) {
      if (busy === 0) this.#servers.delete(host);
      return;
    }
    waiting.delete(key);
    this.#called.set(key, host);
    this.#wake(key);
  }
}
