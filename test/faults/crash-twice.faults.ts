// Killed at a point, and killed again at each point of the recovery: the n-th request that the second life sends.
import { test } from 'node:test';
import { Lanes } from './lane.ts';
import { type Moment, moments, type Nemesis } from './points.ts';
import { buildProgram } from './program.ts';
import { type Case, prove } from './results.ts';
import { play } from './scenario.ts';
import { atOnce, sample } from './size.ts';

/** Requests of a recovery, its lists and its Lease included; later ones are not met. */
const recoveryCalls = 30;

interface Strikes {
  readonly first: string;
  readonly firstMoment: Moment;
  /** Counted from 1, from the first strike on. */
  readonly second: number;
  readonly secondMoment: Moment;
}

function killTwice({ first, firstMoment, second, secondMoment }: Strikes): Nemesis {
  let since = -1;
  return ({ name, door }, hand) => {
    if (since < 0) {
      if (name !== first) return undefined;
      since = 0;
      return moments[firstMoment](hand);
    }
    if (door === 'webhook' || name.startsWith('WATCH')) return undefined;
    return ++since === second ? moments[secondMoment](hand) : undefined;
  };
}

test('a second crash while the first is recovered from does no harm either', {
  timeout: 24 * 3_600_000,
  concurrency: atOnce,
}, async (t) => {
  const program = await buildProgram(t);
  const { points } = await new Lanes(t).use((lane) => play(lane, { program }));
  const all = Object.keys(moments) as Moment[];
  const cases = points.flatMap((first) =>
    all.flatMap((firstMoment) =>
      Array.from({ length: recoveryCalls }, (_, index) => index + 1).flatMap((second) =>
        all.map(
          (secondMoment): Case => ({
            row: `${first}, ${firstMoment}`,
            column: `again, ${secondMoment}`,
            run: async (lane) => {
              const nemesis = killTwice({ first, firstMoment, second, secondMoment });
              const { violations, crashes } = await play(lane, { program, nemesis });
              return { met: crashes > 1, violations };
            },
          }),
        ),
      ),
    ),
  );
  await prove(t, 'crash-twice', sample(cases, { short: 10, usual: 60 }, 'twice'), 0.5);
});
