// Chance that a seed repeats. Several streams from one seed, so that what one part draws does not change another's luck.

export class Chance {
  #state: number;

  constructor(seed: number, stream = '') {
    this.#state = [...stream].reduce((sum, letter) => (Math.imul(sum, 31) + letter.charCodeAt(0)) | 0, seed);
  }

  /** From 0 to below 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  }

  /** A stream of its own: how often it is drawn from changes nothing here. */
  branch(): Chance {
    return new Chance(Math.floor(this.next() * 2 ** 31));
  }

  between(low: number, high: number): number {
    return low + this.next() * (high - low);
  }

  /** Throws where there is nothing to choose from. */
  pick<T>(items: readonly T[]): T {
    const item = items[Math.floor(this.next() * items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }
}
