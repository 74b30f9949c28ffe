// The long run in two minutes: the same program as `npm run faults:long`, with fewer pushes and shorter faults.
// KUBEGIT_SEED sets what the nemesis does.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Leftovers } from '../env/leftovers.ts';
import { longRun } from './long/long-run.ts';
import { defaults } from './long/options.ts';

const seed = Number(process.env['KUBEGIT_SEED'] ?? defaults.seed);
/** The run takes one to two minutes on two cores; on a machine with much else to do it may take many times as long. */
const timeout = 900_000;

describe('the long run, in small', () => {
  it(`loses, doubles and forgets nothing, from seed ${seed}`, { timeout }, async (t) => {
    const leftovers = new Leftovers();
    const sizes = { pushes: 150, gitHooks: 20, connections: 16, perSecond: 5, soakMinutes: 0, pace: 0.4 };
    const way = { write: (line: string) => t.diagnostic(line), signal: t.signal };
    try {
      const report = await longRun(leftovers, { ...defaults, ...sizes, seed }, way);
      assert.deepEqual(report.violations, []);
      assert.deepEqual([report.counts.pushes, report.counts.runs, report.counts.jobs], [150, 150, 150]);
      const struck = Object.values(report.strikes).reduce((sum, count) => sum + count, 0);
      assert.ok(struck >= 5, `${struck} faults`);
    } finally {
      await leftovers.end();
    }
  });
});
