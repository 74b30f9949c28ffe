// Things that come at a steady rate, whether those before them are done or not. Called by bench/groups/push.ts.
import { setTimeout as delay } from 'node:timers/promises';

/** Milliseconds from the moment each came until the moment `work` names, by performance.now(). */
export async function timedAtRate<T>(
  all: readonly T[],
  perSecond: number,
  signal: AbortSignal,
  work: (item: T) => Promise<number>,
): Promise<readonly number[]> {
  const start = performance.now();
  const each = async (item: T, index: number): Promise<number> => {
    const from = start + (index * 1000) / perSecond;
    await delay(Math.max(0, from - performance.now()), undefined, { signal });
    return (await work(item)) - from;
  };
  return Promise.all(all.map(each));
}
