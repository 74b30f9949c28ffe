// What is remembered of a repository's refs between two looks, for one GitHook. Pure; baseline-store.ts keeps it.
// Of each ref a short digest is enough to know that it has moved; where it was does not matter.
import { createHash } from 'node:crypto';
import type { ListedRef } from '../../git/git.ts';

export interface Baseline {
  /** As canonicalRepository gives it: for another repository nothing here counts. */
  readonly repository: string;
  /** The GitHook's patterns when it was written, so that a change of them starts nothing. */
  readonly branches: readonly string[];
  /** What is not in it was not there at this time; milliseconds since 1970. */
  readonly asOfMs: number;
  /** Digests of refs where they were, sorted: see digestsOf. */
  readonly digests: Buffer;
}

/** 48 bits: one move of a ref in three thousand million goes unseen in a repository of 100,000 refs. */
const digestBytes = 6;
/** A thousand refs. */
const leastKeptBytes = 1000 * digestBytes;

type Refs = Iterable<readonly [ref: string, at: ListedRef]>;

/** The digests of these refs where they are now, in an order that depends on nothing else. */
export function digestsOf(refs: Refs): Buffer {
  const digests = [...refs].map(([ref, { id }]) => digestOf(ref, id)).sort((a, b) => a.compare(b));
  return Buffer.concat(digests);
}

/** The digests of both, sorted; of the new ones alone where the old are so many more that they are mostly of the past. */
export function joined(old: Buffer, now: Buffer): Buffer {
  if (old.length > 2 * now.length + leastKeptBytes) return now;
  const both = new Set([...numbersIn(old), ...numbersIn(now)]);
  const bytes = Buffer.alloc(both.size * digestBytes);
  for (const [index, number] of [...both].sort((a, b) => a - b).entries()) {
    bytes.writeUIntBE(number, index * digestBytes, digestBytes);
  }
  return bytes;
}

/** Asks whether a ref was where it is now. */
export function knownIn({ digests }: Baseline): (ref: string, at: ListedRef) => boolean {
  const known = new Set(numbersIn(digests));
  return (ref, { id }) => known.has(digestOf(ref, id).readUIntBE(0, digestBytes));
}

function numbersIn(digests: Buffer): number[] {
  const count = Math.floor(digests.length / digestBytes);
  return Array.from({ length: count }, (_, index) => digests.readUIntBE(index * digestBytes, digestBytes));
}

/** By its object id, not by the commit: an annotated tag that is made anew has moved. */
function digestOf(ref: string, id: string): Buffer {
  return createHash('sha256').update(`${ref}\0${id}`).digest().subarray(0, digestBytes);
}
