// Work that several ask for at the same time is done once. Called by direct.ts: the GitHooks of one push want the same objects.

export class Shared<T> {
  readonly #underWay = new Map<string, Promise<T>>();

  /**
   * What `work` gives, or what the same work under this key gives that is under way already. Where that fails, be it because
   * who asked for it has been called off, the work is done anew. Rejects with the signal's reason when it is aborted.
   */
  async run(key: string, work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    for (let others = this.#underWay.get(key); others !== undefined; others = this.#underWay.get(key)) {
      const outcome = others.then((value) => ({ value })).catch(() => undefined);
      const result = await untilAborted(outcome, signal);
      if (result !== undefined) return result.value;
    }
    const mine = work();
    this.#underWay.set(key, mine);
    try {
      return await mine;
    } finally {
      if (this.#underWay.get(key) === mine) this.#underWay.delete(key);
    }
  }
}

/** Rejects with the signal's reason when it is aborted first. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
