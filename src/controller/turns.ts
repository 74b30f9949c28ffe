// Work under one key, one after another, in the order it was asked for. Work under different keys does not wait.

export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Whether work under this key is under way or waits. */
  has(key: string): boolean {
    return this.#last.has(key);
  }

  /** Does the work when all before it under this key has ended, well or not. */
  async take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const mine = before.then(work);
    const settled = mine.catch(() => {});
    this.#last.set(key, settled);
    try {
      return await mine;
    } finally {
      if (this.#last.get(key) === settled) this.#last.delete(key);
    }
  }
}
