import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ManualClock } from '../../test/env/manual-clock.ts';
import { WorkedBefore } from './worked-before.ts';

it('what worked is known for ten minutes, however often it works, and of a thousand servers', async () => {
  const clock = new ManualClock();
  const worked = new WorkedBefore<string>(clock);
  worked.note('one', 'git');
  await clock.advance(9 * 60_000);
  worked.note('one', 'git');
  assert.equal(worked.get('one'), 'git');
  await clock.advance(60_000);
  assert.equal(worked.get('one'), undefined, 'it may have learnt better since');
  worked.note('one', 'git');
  worked.note('one', 'objects');
  assert.equal(worked.get('one'), 'objects');
  for (let server = 0; server < 1000; server++) worked.note(`server ${server}`, 'git');
  assert.equal(worked.get('one'), undefined);
  assert.equal(worked.get('server 0'), 'git');
});
