// The reference run of the proof: one push to its last word with no fault at all. What the oracles say of it, and what it costs.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { startLane } from './lane.ts';
import { buildProgram } from './program.ts';
import { play } from './scenario.ts';

it('a push that meets no fault keeps every promise', async (t) => {
  const lane = await startLane(t);
  const { violations, points } = await play(lane, { program: await buildProgram(t) });
  t.diagnostic(points.join('\n'));
  assert.deepEqual(violations, []);
});
