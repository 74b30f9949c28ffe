// Who may ask a server now. One that hangs holds each fetch or message for a long time: without turns what it is asked
// would take every worker, and what the others are asked would not start. Waiting takes no worker. A repository with a thousand
// pushes does not keep back another one of the same server: they get turns one after the other.

/**
 * When a key that waits asks again by itself, should the one before it have been called and have had nothing to do. Each
 * costs a request, and stands in the queue before who is called: where many wait, only some four a second ask.
 */
const lookAgainMs = { least: 10_000, each: 250, most: 5 * 60_000 };

/** Where a key stands in line: for which server, and with whom. Lanes get turns one after another, the keys of a lane in their order. */
export interface Line {
  readonly server: string;
  /** Default: one for all that name none. */
  readonly lane?: string;
}

interface Server {
  busy: number;
  /** By lane, the keys that wait in the order they came. The first lane is the next; none is empty. */
  readonly waiting: Map<string, Set<string>>;
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
  wait({ server: name, lane = '' }: Line, key: string): number | undefined {
    this.#called.delete(key);
    const server = this.#servers.get(name);
    if (server === undefined || server.busy < this.#limit) return undefined;
    const keys = server.waiting.get(lane) ?? new Set();
    server.waiting.set(lane, keys.add(key));
    let count = 0;
    for (const { size } of server.waiting.values()) count += size;
    return Math.min(lookAgainMs.most, Math.max(lookAgainMs.least, count * lookAgainMs.each));
  }

  /** Does the work, or, when it is not the key's turn, returns what wait() does. */
  async take<T>(line: Line, key: string, work: () => Promise<T>): Promise<T | number> {
    const waitMs = this.wait(line, key);
    if (waitMs !== undefined) return waitMs;
    const server = this.#servers.get(line.server) ?? { busy: 0, waiting: new Map() };
    this.#servers.set(line.server, server);
    leave(server, line.lane ?? '', key);
    server.busy += 1;
    try {
      return await work();
    } finally {
      server.busy -= 1;
      this.#next(line.server, server);
    }
  }

  /** To be called after a key was handled: where it had been called and did not ask, as one that is gone, the next is called. */
  pass(key: string): void {
    const name = this.#called.get(key) ?? '';
    this.#called.delete(key);
    const server = this.#servers.get(name);
    if (server !== undefined && server.busy < this.#limit) this.#next(name, server);
  }

  #next(name: string, server: Server): void {
    const [first] = server.waiting;
    if (first === undefined) {
      if (server.busy === 0) this.#servers.delete(name);
      return;
    }
    const [lane, keys] = first;
    const [key = ''] = keys;
    leave(server, lane, key);
    this.#called.set(key, name);
    this.#wake(key);
  }
}

/** The key waits no more; its lane, where others wait in it, is now the last one. */
function leave({ waiting }: Server, lane: string, key: string): void {
  const keys = waiting.get(lane);
  if (!keys?.delete(key)) return;
  waiting.delete(lane);
  if (keys.size > 0) waiting.set(lane, keys);
}
