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
  // Everything goes through the doors: what does not could neither be struck nor judged.
  const doors = [
    'delivery',
    'POST githookruns',
    'POST git-upload-pack',
    'POST jobs',
    'POST commit status',
    'POST Slack message',
  ];
  for (const door of doors) assert.ok(points.includes(`${door} #1`), door);
});
