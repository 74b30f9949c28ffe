// What one run of the benchmark found, as it is kept in docs/performance.json, and how it compares with what was kept before. Pure.
import { type Figure, ratioOf } from './figure.ts';

export interface Results {
  /** YYYY-MM-DD */
  readonly date: string;
  readonly machine: string;
  /** The command that makes them anew. */
  readonly command: string;
  readonly groups: readonly Measured[];
}

export interface Measured {
  readonly name: string;
  readonly title: string;
  readonly seconds: number;
  readonly figures: readonly Figure[];
}

/** A figure that got worse, in words. */
export interface Grown {
  readonly group: string;
  readonly figure: string;
  readonly before: number;
  readonly now: number;
}

/** By how much a ratio may differ from one run to the next, on a machine with moods. */
const tolerance = 1.3;

/**
 * What got worse than it was kept, by the ratio to a reference of its own run: another machine does not change that much. A
 * figure without a reference, such as memory or a number of calls, counts by its median, but for times and rates, which say more
 * of the machine. One that was not measured before, or is not now, does not count.
 */
export function grown(now: Results, before: Results): readonly Grown[] {
  return now.groups.flatMap((group) => {
    const kept = before.groups.find(({ name }) => name === group.name)?.figures ?? [];
    return group.figures.flatMap((figure) => {
      const old = kept.find(({ name }) => name === figure.name);
      const [was, is] = [old && comparable(old), comparable(figure)];
      if (was === undefined || is === undefined || was === 0) return [];
      const isWorse = isRate(figure) ? is * tolerance < was : is > was * tolerance;
      return isWorse ? [{ group: group.name, figure: figure.name, before: was, now: is }] : [];
    });
  });
}

function comparable(figure: Figure): number | undefined {
  const ratio = ratioOf(figure);
  if (ratio !== undefined) return ratio;
  return figure.unit === 'ms' || isRate(figure) ? undefined : figure.sample.median;
}

/** More is better. */
function isRate({ unit }: Figure): boolean {
  return unit === 'per second';
}
