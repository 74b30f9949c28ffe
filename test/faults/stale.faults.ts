// An API server that is behind, as one of several can be: after a fail-over it lists what was some versions ago, and what was
// just created cannot be read yet. No second child, no phase that goes back, no wrong word.
import { test } from 'node:test';
import { Lanes } from './lane.ts';
import { oldLists } from './old-lists.ts';
import { killAt, type Nemesis, together } from './points.ts';
import { buildProgram } from './program.ts';
import { type Case, prove } from './results.ts';
import { play } from './scenario.ts';
import { atOnce, sample } from './size.ts';
import { forgetsTwice } from './trouble.ts';

const versions = [1, 2, 3, 4, 6, 8, 12];

test('a list from the past after a fail-over does no harm', { timeout: 3_600_000, concurrency: atOnce }, async (t) => {
  const program = await buildProgram(t);
  const { points } = await new Lanes(t).use((lane) => play(lane, { program }));
  const cases = points.slice(points.indexOf('PUT githookruns/status #1')).flatMap((point) =>
    versions.map(
      (count): Case => ({
        row: `killed after ${point}`,
        column: `${count} behind`,
        run: async (lane) => {
          const { downtime, nemesis } = oldLists(count);
          const story = { program, downtime, nemesis: together(killAt(point, 'after the answer'), nemesis) };
          const { violations, crashes } = await play(lane, story);
          return { met: crashes > 0, violations };
        },
      }),
    ),
  );
  await prove(t, 'stale', sample(cases, { short: 10, usual: 50 }, 'stale'));
});

test('what was just created and cannot be read yet does no harm', {
  timeout: 600_000,
  concurrency: atOnce,
}, async (t) => {
  const program = await buildProgram(t);
  const nemeses: Readonly<Record<string, () => Nemesis>> = {
    'run, before it is advanced': () => forgetsTwice('githookruns'),
    'run, after its creation had no answer': () =>
      together(forgetsTwice('githookruns'), ({ name }) =>
        name === 'POST githookruns #1' ? { kind: 'dropAnswer' } : undefined,
      ),
    'Job, after its creation had no answer': () =>
      together(forgetsTwice('jobs'), ({ name }) => (name === 'POST jobs #1' ? { kind: 'dropAnswer' } : undefined)),
    'Job, after a crash': () => together(forgetsTwice('jobs'), killAt('POST jobs #1', 'applied, answer lost')),
  };
  const cases = Object.entries(nemeses).map(
    ([what, nemesis]): Case => ({
      row: what,
      column: 'not found, twice',
      run: async (lane) => {
        const { violations } = await play(lane, { program, nemesis: nemesis(), patienceMs: 20_000 });
        return { met: true, violations };
      },
    }),
  );
  await prove(t, 'not-found', cases);
});
