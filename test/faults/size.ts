// How much of the proof is run: KUBEGIT_FAULTS is short (in CI, minutes), usual or full (hours). What is not all is a sample
// that KUBEGIT_SEED chooses, so that it can be repeated.

export type Size = 'short' | 'usual' | 'full';

export const size = (process.env['KUBEGIT_FAULTS'] ?? 'short') as Size;
export const seed = Number(process.env['KUBEGIT_SEED'] ?? 1);

/** Scenarios at a time: they mostly wait, for the API server and for rest. */
export const atOnce = 4;

/** Numbers from 0 to 1 that a seed repeats (mulberry32). */
export function random(from: number): () => number {
  let state = from;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** As many of them as this size wants, in their own order; all where no number is given for it. `salt` tells samples apart. */
export function sample<T>(items: readonly T[], counts: Partial<Record<Size, number>>, salt = ''): readonly T[] {
  const next = random([...salt].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), seed));
  const ranked = items.map((item, index) => ({ item, index, lot: next() }));
  const chosen = ranked.sort((a, b) => a.lot - b.lot).slice(0, counts[size] ?? items.length);
  return chosen.sort((a, b) => a.index - b.index).map(({ item }) => item);
}
