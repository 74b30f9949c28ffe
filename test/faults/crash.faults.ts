// Killed at every outside call of a push's way to its last word: before the call is sent, when it was applied and the answer
// is lost, and after the answer. In plain, and with what else can happen while nobody is there.
import { test } from 'node:test';
import { finishJobs, fleetingManifest, redeliver } from './downtime.ts';
import { Lanes } from './lane.ts';
import { killAt, type Moment, moments } from './points.ts';
import { buildProgram } from './program.ts';
import { type Case, prove } from './results.ts';
import { play, type Story } from './scenario.ts';
import { atOnce, sample } from './size.ts';

interface Variant {
  readonly name: string;
  readonly story: Omit<Story, 'program' | 'nemesis'>;
  /** Only from this point on is it another story. */
  readonly from: string;
  /** How many scenarios of it the short form has. */
  readonly short: number;
}

const variants: readonly Variant[] = [
  { name: 'crash', story: {}, from: 'delivery #1', short: 40 },
  {
    ...{ name: 'crash, redelivered', from: 'delivery #1', short: 8 },
    story: { downtime: redeliver, afterwards: redeliver },
  },
  { name: 'crash, Job ends', from: 'POST jobs #1', short: 8, story: { downtime: finishJobs } },
  {
    ...{ name: 'crash, Job ends, TTL 0', from: 'POST jobs #1', short: 8 },
    story: { downtime: finishJobs, manifest: fleetingManifest },
  },
];

test('a crash at any point loses nothing and doubles nothing', {
  timeout: 3_600_000,
  concurrency: atOnce,
}, async (t) => {
  const program = await buildProgram(t);
  const { points } = await new Lanes(t).use((lane) => play(lane, { program }));
  for (const variant of variants) {
    const { name, story, from, short } = variant;
    const cases = points.slice(points.indexOf(from)).flatMap((point) =>
      (Object.keys(moments) as Moment[]).map(
        (moment): Case => ({
          row: point,
          column: moment,
          run: async (lane) => {
            const { violations, crashes } = await play(lane, { ...story, program, nemesis: killAt(point, moment) });
            return { met: crashes > 0, violations };
          },
        }),
      ),
    );
    await prove(t, name, sample(cases, { short }, name));
  }
});
