// The soak in slices of time: what the replicas held in each, and whether that grew from one to the last. Pure.
import type { Sample } from './ticker.ts';

export interface Slice {
  /** From the beginning of the soak. */
  readonly fromMinute: number;
  /** The middle one of all samples of all replicas, and the highest. */
  readonly memoryMiB: number;
  readonly mostMemoryMiB: number;
  readonly files: number;
}

const count = 6;
/** Runs are kept, some 12 KiB each; the rest is garbage that Node is in no hurry to collect. */
const moreMemoryMiB = 100;
const moreFiles = 20;

export function slicesOf(samples: readonly Sample[], from: number, to: number): readonly Slice[] {
  const seconds = (to - from) / count;
  const inSoak = samples.filter((sample) => sample.seconds >= from && sample.seconds < to);
  const groups = Map.groupBy(inSoak, (sample) => Math.floor((sample.seconds - from) / seconds));
  return [...groups].map(([index, group]) => ({
    fromMinute: Math.round((index * seconds) / 60),
    memoryMiB: median(group.map(({ memoryMiB }) => memoryMiB)),
    mostMemoryMiB: Math.max(...group.map(({ memoryMiB }) => memoryMiB)),
    files: median(group.map(({ files }) => files)),
  }));
}

/** In words what grew. The first slice does not count: caches and connections come to be in it. */
export function growth(slices: readonly Slice[]): readonly string[] {
  const [first, last] = [slices[1], slices.at(-1)];
  if (first === undefined || last === undefined) return [];
  const found: string[] = [];
  if (last.memoryMiB > first.memoryMiB + moreMemoryMiB)
    found.push(`memory grew from ${first.memoryMiB} to ${last.memoryMiB} MiB in the soak`);
  if (last.files > first.files + moreFiles)
    found.push(`open files grew from ${first.files} to ${last.files} in the soak`);
  return found;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}
