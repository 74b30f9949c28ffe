// Objects that were read before. What an id stands for never changes; whether somebody may read it can, so the keys tell
// repositories and credentials apart, and a commit, with which each read begins, is asked for again after a minute.
import type { Clock } from '../../clock.ts';
import type { GitObject } from './pack.ts';

export interface CacheOptions {
  readonly maxBytes: number;
  readonly clock: Clock;
}

/** GitHooks of one repository read the same commit within seconds; later it is the server that says who may. */
const commitMs = 60_000;
const overheadBytes = 200; // of a key, and of what a Map holds

interface Entry {
  readonly object: GitObject;
  /** By the clock's monotonic time. */
  readonly untilMs: number;
}

export class ObjectCache {
  readonly #options: CacheOptions;
  /** The least recently used first. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  constructor(options: CacheOptions) {
    this.#options = options;
  }

  get(key: string): GitObject | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#remove(key, entry);
    if (this.#options.clock.monotonic() >= entry.untilMs) return undefined;
    this.#add(key, entry);
    return entry.object;
  }

  /** One object takes an eighth of the room at most. */
  set(key: string, object: GitObject): void {
    const { maxBytes, clock } = this.#options;
    const before = this.#entries.get(key);
    if (before) this.#remove(key, before);
    if (sizeOf(object) > maxBytes / 8) return;
    const isLasting = object.type === 'tree' || object.type === 'blob';
    this.#add(key, { object, untilMs: isLasting ? Number.POSITIVE_INFINITY : clock.monotonic() + commitMs });
    for (const [oldest, entry] of this.#entries) {
      if (this.#bytes <= maxBytes) break;
      this.#remove(oldest, entry);
    }
  }

  #add(key: string, entry: Entry): void {
    this.#entries.set(key, entry);
    this.#bytes += sizeOf(entry.object);
  }

  #remove(key: string, entry: Entry): void {
    this.#entries.delete(key);
    this.#bytes -= sizeOf(entry.object);
  }
}

function sizeOf({ content }: GitObject): number {
  return content.length + overheadBytes;
}
