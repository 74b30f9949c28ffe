// What is ended and removed at the end, last first: stands in for a test's `t` where there is none.

export class Leftovers {
  readonly #all: (() => unknown)[] = [];

  readonly after = (fn: () => unknown): void => void this.#all.push(fn);

  /** Everything, whatever fails. */
  async end(): Promise<void> {
    for (let next = this.#all.pop(); next; next = this.#all.pop()) {
      await Promise.resolve()
        .then(next)
        .catch((error: unknown) => console.error(error));
    }
  }
}
