// Strikes every few seconds, by the seed: what and whom it chooses is repeated by it, the moments only about.
import { setTimeout as delay } from 'node:timers/promises';
import type { Chance } from './chance.ts';
import { nextStrike, type Strike } from './faults.ts';
import type { World } from './world.ts';

const everyMs = [2_000, 8_000] as const;

export class Nemesis {
  /** One line each, for the report of a failure. */
  readonly history: string[] = [];
  /** How often each kind has struck. */
  readonly counts = new Map<string, number>();
  readonly #world: World;
  readonly #chance: Chance;
  readonly #pace: number;
  readonly #under = new Map<string, Strike>();

  constructor(world: World, chance: Chance, pace: number) {
    this.#world = world;
    this.#chance = chance;
    this.#pace = pace;
  }

  /** What is broken now, in words. */
  now(): string {
    return [...this.#under.values()].map(({ kind, what }) => `${kind} (${what})`).join(', ');
  }

  /** Strikes until the signal aborts; resolves when everything is mended. Rejects where something could not be. */
  async run(signal: AbortSignal): Promise<void> {
    const running: Promise<void>[] = [];
    while (!signal.aborted) {
      const strike = nextStrike(this.#world, this.#chance, this.#pace);
      if (this.#mayHurt(strike)) running.push(this.#strike(strike, signal));
      await delay(this.#chance.between(...everyMs) * this.#pace, undefined, { signal }).catch(() => undefined);
    }
    await Promise.all(running);
  }

  get count(): number {
    return [...this.counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** One replica at least is left alone. */
  #mayHurt({ target }: Strike): boolean {
    const hurt = this.#world.replicas.filter(({ name }) => this.#under.has(name)).length;
    const isReplica = this.#world.replicas.some(({ name }) => name === target);
    return !this.#under.has(target) && !(isReplica && hurt >= Math.max(1, this.#world.replicas.length - 1));
  }

  async #strike(strike: Strike, signal: AbortSignal): Promise<void> {
    const { kind, what, target } = strike;
    this.#under.set(target, strike);
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    const from = new Date().toISOString().slice(11, 23);
    try {
      await strike.run(signal);
    } finally {
      this.#under.delete(target);
      this.history.push(`${from} to ${new Date().toISOString().slice(11, 23)}: ${kind} (${what})`);
    }
  }
}
