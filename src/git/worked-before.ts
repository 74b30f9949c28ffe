// Which way worked last for a server. Forgotten after a while, so that a server that has learnt better ways is asked for them.
import type { Clock } from '../clock.ts';

const rememberedMs = 10 * 60_000;
const maxServers = 1000;

export class WorkedBefore<T> {
  readonly #clock: Clock;
  /** Those that were noted longest ago first. */
  readonly #known = new Map<string, { readonly what: T; readonly untilMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(server: string): T | undefined {
    const known = this.#known.get(server);
    return known !== undefined && this.#clock.monotonic() < known.untilMs ? known.what : undefined;
  }

  /** What is known already is not kept for longer by being noted again. */
  note(server: string, what: T): void {
    if (this.get(server) === what) return;
    this.#known.delete(server);
    this.#known.set(server, { what, untilMs: this.#clock.monotonic() + rememberedMs });
    const [oldest] = this.#known.keys();
    if (this.#known.size > maxServers && oldest !== undefined) this.#known.delete(oldest);
  }
}
