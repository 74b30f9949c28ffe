import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Turns } from './turns.ts';

describe('Turns', () => {
  it('does the work of one key in the order it was asked for, and of another meanwhile', async () => {
    const turns = new Turns();
    const done: string[] = [];
    const first = Promise.withResolvers<void>();
    const work = [
      turns.take('a', async () => {
        await first.promise;
        done.push('a1');
      }),
      turns.take('a', async () => void done.push('a2')),
      turns.take('b', async () => void done.push('b')),
    ];
    await work[2];
    assert.deepEqual([...done, turns.has('a'), turns.has('b')], ['b', true, false]);
    first.resolve();
    await Promise.all(work);
    assert.deepEqual([...done, turns.has('a')], ['b', 'a1', 'a2', false]);
  });

  it('goes on after work that failed, and tells only who asked for that', async () => {
    const turns = new Turns();
    const failing = turns.take('a', () => Promise.reject(new Error('no')));
    const next = turns.take('a', async () => 'yes');
    await assert.rejects(failing, /no/);
    assert.equal(await next, 'yes');
  });
});
