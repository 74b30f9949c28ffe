// Killed at every outside call of a push's way to its last word: before the call is sent, when it was applied and the answer
// is lost, and after the answer. In plain, and with what else can happen while nobody is there.
import { test } from 'node:test';
import { finishJobs, fleetingManifest, redeliver } from './downtime.ts';
import { Lanes } from './lane.ts';
import { killAt, type Moment, moments, terminateAt } from './points.ts';
import { buildProgram } from './program.ts';
import { type Case, prove } from './results.ts';
import { play, type Story } from './scenario.ts';
import { atOnce, sample } from './size.ts';

interface Variant {
  readonly name: string;
  readonly story: Omit<Story, 'program' | 'nemesis'>;
  /** Only at these of the points that it has is it another story. */
  readonly at: (point: string, index: number, points: readonly string[]) => boolean;
  /** How many scenarios of it the short form has. */
  readonly short: number;
}

const anywhere: Variant['at'] = () => true;
const fromCreation: Variant['at'] = (_, index, points) => index >= points.indexOf('POST jobs #1');
const atGit: Variant['at'] = (point) => / (?:info\/refs|git-upload-pack) /.test(point);

const variants: readonly Variant[] = [
  { name: 'crash', at: anywhere, short: 40, story: {} },
  { name: 'crash, redelivered', at: anywhere, short: 8, story: { downtime: redeliver, afterwards: redeliver } },
  { name: 'crash, Job ends', at: fromCreation, short: 8, story: { downtime: finishJobs } },
  {
    ...{ name: 'crash, Job ends, TTL 0', at: fromCreation, short: 8 },
    story: { downtime: finishJobs, manifest: fleetingManifest },
  },
  { name: 'crash, git program', at: atGit, short: 4, story: { args: ['-fetch=git'] } },
];

test('a crash at any point loses nothing and doubles nothing', {
  timeout: 3_600_000,
  concurrency: atOnce,
}, async (t) => {
  const program = await buildProgram(t);
  const lanes = new Lanes(t);
  for (const { name, story, at, short } of variants) {
    const { args = [] } = story;
    const { points } = await lanes.use((lane) => play(lane, { program, args }));
    const cases = points.filter(at).flatMap((point) =>
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

test('an end on request at any point is clean, loses nothing and doubles nothing', {
  timeout: 3_600_000,
  concurrency: atOnce,
}, async (t) => {
  const program = await buildProgram(t);
  const { points } = await new Lanes(t).use((lane) => play(lane, { program }));
  const cases = points.map(
    (point): Case => ({
      row: point,
      column: 'SIGTERM as it is sent',
      run: async (lane) => {
        const { violations, crashes } = await play(lane, { program, nemesis: terminateAt(point) });
        return { met: crashes > 0, violations };
      },
    }),
  );
  await prove(t, 'terminated', sample(cases, { short: 6 }, 'terminated'));
});
