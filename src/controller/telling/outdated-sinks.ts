// Sinks whose last attempt may be outdated, until they have been asked again. Lost with the process, which does no harm:
// a start asks those who refused in any case.
import type { Outdated } from './sinks.ts';

export class OutdatedSinks {
  /** By the key of a sink of a run. */
  readonly #notes = new Map<string, Outdated>();

  note(key: string, outdated: Outdated): void {
    if (outdated !== 'nothing') this.#notes.set(key, outdated);
  }

  /** What is noted. */
  look(key: string): Outdated {
    return this.#notes.get(key) ?? 'nothing';
  }

  /** What was noted, once. */
  take(key: string): Outdated {
    const outdated = this.look(key);
    this.#notes.delete(key);
    return outdated;
  }

  /** After an attempt whose outcome could not be recorded; a newer note stays. */
  putBack(key: string, outdated: Outdated): void {
    if (!this.#notes.has(key)) this.note(key, outdated);
  }
}
