// What was measured, as figures: kube-git beside the clone of all of main, and the largest repository beside the smallest.
// Called by bench/groups/fetch.ts. Pure.
import { type Figure, type Goal, sampleOf, type Unit } from '../figure.ts';
import type { Costs, Way } from './measuring.ts';

const kibibyte = 1024;

/** What it is called in a figure's name, its unit, and what one of that is in the costs. */
const quantities = [
  { of: 'time', name: 'time', unit: 'ms', one: 1 },
  { of: 'wire', name: 'over the wire', unit: 'KiB', one: kibibyte },
  { of: 'memory', name: 'most memory', unit: 'MiB', one: kibibyte * kibibyte },
  { of: 'disk', name: 'disk', unit: 'KiB', one: kibibyte },
] as const satisfies readonly { of: keyof Costs; name: string; unit: Unit; one: number }[];

type Quantity = (typeof quantities)[number];

const wholeClone: Way = 'git clone --single-branch';
const flat: Goal = { atMost: 1.2 };
const quick: Goal = { atMost: 1 / 20 };

export function figuresOf(all: readonly Costs[]): readonly Figure[] {
  return all
    .filter(({ way }) => way !== wholeClone)
    .flatMap((costs) => [...besideClone(costs, all), ...besideSmallest(costs, all)]);
}

function besideClone(costs: Costs, all: readonly Costs[]): readonly Figure[] {
  const clone = find(all, { ...costs, way: wholeClone });
  return quantities.map((quantity) => {
    const hasGoal = quantity.of === 'time' && isRead(costs) && costs.size === '150 MB' && costs.roundTripMs === 0;
    return figure(quantity, costs, {
      ...(clone && { reference: { name: wholeClone, sample: sampleIn(quantity, clone) } }),
      ...(hasGoal && { goal: quick }),
    });
  });
}

/** That a read costs the same however large the repository is. */
function besideSmallest(costs: Costs, all: readonly Costs[]): readonly Figure[] {
  const smallest = find(all, { ...costs, size: '1 MB' });
  if (costs.size !== '1 GB' || !isRead(costs) || !smallest) return [];
  return quantities
    .filter(({ of }) => of === 'time' || of === 'memory')
    .map((quantity) => {
      const reference = { name: smallest.size, sample: sampleIn(quantity, smallest) };
      return figure(quantity, costs, { beside: smallest.size, reference, goal: flat });
    });
}

function figure(
  quantity: Quantity,
  costs: Costs,
  { beside, ...more }: Pick<Figure, 'reference' | 'goal'> & { readonly beside?: string },
): Figure {
  const size = beside === undefined ? costs.size : `${costs.size} beside ${beside}`;
  const name = `${size}, ${costs.way}, ${costs.roundTripMs} ms: ${quantity.name}`;
  return { name, unit: quantity.unit, sample: sampleIn(quantity, costs), ...more };
}

function isRead({ way }: Costs): boolean {
  return way === 'depth 1' || way === 'depth 6';
}

function find(all: readonly Costs[], { size, way, roundTripMs }: Pick<Costs, 'size' | 'way' | 'roundTripMs'>) {
  return all.find((costs) => costs.size === size && costs.way === way && costs.roundTripMs === roundTripMs);
}

function sampleIn({ of, one }: Quantity, costs: Costs) {
  return sampleOf(costs[of].map((value) => value / one));
}
