// What a benchmark says: figures, each the median of many repeats with its spread, and where there is something to compare with,
// the same of a reference measured in the same run. Pure.

export type Unit = 'ms' | 'MiB' | 'KiB' | 'per second' | 'calls' | '';

/** Of repeats of one measurement. */
export interface Sample {
  readonly median: number;
  /** The first and the third quartile. */
  readonly low: number;
  readonly high: number;
  readonly p99: number;
  readonly repeats: number;
}

export interface Figure {
  /** What was measured; no other figure of the group has the same name. */
  readonly name: string;
  readonly unit: Unit;
  readonly sample: Sample;
  readonly reference?: { readonly name: string; readonly sample: Sample };
  readonly goal?: Goal;
}

/** What the figure should be: by its ratio to the reference, or where there is none by its median. */
export type Goal = { readonly atLeast: number } | { readonly atMost: number };

/** Throws where there is no value. */
export function sampleOf(values: readonly number[]): Sample {
  if (values.length === 0) throw new Error('nothing was measured');
  const sorted = values.toSorted((a, b) => a - b);
  const [median, low, high, p99] = [0.5, 0.25, 0.75, 0.99].map((share) => quantile(sorted, share));
  return { median, low, high, p99, repeats: values.length } as Sample;
}

/** By linear interpolation between the two nearest. */
function quantile(sorted: readonly number[], share: number): number {
  const place = share * (sorted.length - 1);
  const [below = 0, above = 0] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return below + (above - below) * (place - Math.floor(place));
}

/** The figure's median over that of its reference. */
export function ratioOf({ sample, reference }: Figure): number | undefined {
  return reference && sample.median / reference.sample.median;
}

/** Undefined where there is no goal. */
export function isReached(figure: Figure): boolean | undefined {
  const { goal, sample } = figure;
  if (goal === undefined) return undefined;
  const value = ratioOf(figure) ?? sample.median;
  return 'atLeast' in goal ? value >= goal.atLeast : value <= goal.atMost;
}
