import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LimitedTurns } from './limited-turns.ts';

describe('LimitedTurns', () => {
  it('lets four fetch from a server that hangs, and others from another one', async () => {
    const turns = new LimitedTurns(4, () => {});
    const hang = Promise.withResolvers<string>();
    const hanging = ['a', 'b', 'c', 'd'].map((key) => turns.take({ server: 'slow' }, key, () => hang.promise));

    assert.equal(typeof (await turns.take({ server: 'slow' }, 'e', async () => 'done')), 'number');
    assert.equal(await turns.take({ server: 'quick' }, 'f', async () => 'done'), 'done');

    hang.resolve('late');
    assert.deepEqual(await Promise.all(hanging), ['late', 'late', 'late', 'late']);
    assert.equal(await turns.take({ server: 'slow' }, 'e', async () => 'done'), 'done');
  });

  it('has those who wait ask the more seldom the more they are, at most some four a second and at least every five minutes', async () => {
    const turns = new LimitedTurns(1, () => {});
    void turns.take({ server: 'slow' }, 'first', () => new Promise(() => {}));
    const waits: (string | number)[] = [];
    for (let number = 1; number <= 2000; number++)
      waits.push(await turns.take({ server: 'slow' }, `${number}`, async () => 'done'));
    assert.deepEqual([waits[0], waits[39], waits[399], waits[1999]], [10_000, 10_000, 100_000, 300_000]);
  });

  it('calls those who wait in their order, one for each turn that ends, well or not', async () => {
    const woken: string[] = [];
    const turns = new LimitedTurns(4, (key) => woken.push(key));
    const ends = ['a', 'b', 'c', 'd'].map(() => Promise.withResolvers<void>());
    const first = ends.map(({ promise }, index) => turns.take({ server: 'slow' }, `first-${index}`, () => promise));
    for (const key of ['e', 'f', 'e']) await turns.take({ server: 'slow' }, key, async () => {});

    ends[0]?.resolve();
    await first[0];
    assert.deepEqual(woken, ['e']);
    ends[1]?.reject(new Error('no answer'));
    await assert.rejects(first[1] ?? Promise.resolve(), /no answer/);
    assert.deepEqual(woken, ['e', 'f']);

    for (const { resolve } of ends) resolve();
    await Promise.all(first.slice(2));
    assert.deepEqual(woken, ['e', 'f']);
  });

  it('calls the next one where one that was called did not ask', async () => {
    const woken: string[] = [];
    const turns = new LimitedTurns(1, (key) => woken.push(key));
    const end = Promise.withResolvers<void>();
    const first = turns.take({ server: 'slow' }, 'first', () => end.promise);
    for (const key of ['b', 'c', 'd']) await turns.take({ server: 'slow' }, key, async () => {});
    turns.pass('c');
    assert.deepEqual(woken, [], 'it waits, and the turn is taken');
    end.resolve();
    await first;
    assert.deepEqual(woken, ['b']);
    turns.pass('b');
    turns.pass('b');
    assert.deepEqual(woken, ['b', 'c']);
    await turns.take({ server: 'slow' }, 'c', async () => {});
    assert.deepEqual(woken, ['b', 'c', 'd']);
    turns.pass('c');
    turns.pass('d');
    assert.deepEqual(woken, ['b', 'c', 'd']);
  });

  it('gives lanes turns one after another, however many wait in one', async () => {
    const woken: string[] = [];
    const turns = new LimitedTurns(1, (key) => woken.push(key));
    const end = Promise.withResolvers<void>();
    const first = turns.take({ server: 'slow', lane: 'busy' }, 'first', () => end.promise);
    for (const key of ['a1', 'a2', 'a3']) await turns.take({ server: 'slow', lane: 'busy' }, key, async () => {});
    for (const key of ['b1', 'b2']) await turns.take({ server: 'slow', lane: 'calm' }, key, async () => {});
    await turns.take({ server: 'slow' }, 'c1', async () => {});
    end.resolve();
    await first;
    const lanes: Readonly<Record<string, string>> = { a: 'busy', b: 'calm' };
    for (let n = 0; n < 6; n++) {
      const key = woken[n] ?? '';
      const lane = lanes[key[0] ?? ''];
      await turns.take({ server: 'slow', ...(lane !== undefined && { lane }) }, key, async () => {});
    }
    assert.deepEqual(woken, ['a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
  });
});
