// Between the watches of the API server and kube-git: events dropped, repeated, late or garbled. In place before kube-git
// starts, because a watch lives long; at work from the push to the end only.
import type { Rule } from '../env/proxy.ts';
import { nameOf } from './points.ts';

export interface WatchedEvent {
  /** The type and which of its events since the push: "jobs #2". A bookmark's is the type alone. */
  readonly name: string;
  /** As it came, without the line's end. */
  readonly line: string;
}

/** The lines that are passed on in the place of an event. */
export type WatchFault = (event: WatchedEvent) => readonly string[];

export class WatchBreaker {
  readonly #fault: WatchFault;
  readonly #counts = new Map<string, number>();
  #isAtWork = false;

  constructor(fault: WatchFault) {
    this.#fault = fault;
  }

  begin(): void {
    this.#isAtWork = true;
  }

  end(): void {
    this.#isAtWork = false;
  }

  readonly rule: Rule = (request) => {
    const what = nameOf('api', request);
    if (!what.startsWith('WATCH ')) return undefined;
    return { kind: 'lines', line: (line) => this.#pass(what.slice('WATCH '.length), line) };
  };

  #pass(type: string, line: string): readonly string[] {
    if (!this.#isAtWork) return [line];
    if (line.startsWith('{"type":"BOOKMARK"')) return this.#fault({ name: type, line });
    const count = (this.#counts.get(type) ?? 0) + 1;
    this.#counts.set(type, count);
    return this.#fault({ name: `${type} #${count}`, line });
  }
}
