// Many things done, so many of them at a time. Called by all loads.

/** The first failure ends it: nothing more is begun. */
export async function inTurns<T>(all: Iterable<T>, atOnce: number, one: (item: T) => Promise<unknown>): Promise<void> {
  const left = each(all);
  const worker = async (): Promise<void> => {
    for (const item of left) await one(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

/** A generator is closed by the loop that is left by a throw, and is then at its end for the other workers as well. */
function* each<T>(all: Iterable<T>): Generator<T> {
  yield* all;
}
