import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ManualClock } from '../../test/env/manual-clock.ts';
import { Queue } from './queue.ts';

/** A queue at work: what was handled, and handlers that end when the test says so. */
function start(t: TestContext, workers = 1) {
  const clock = new ManualClock();
  const queue = new Queue({ baseDelayMs: 1000, maxDelayMs: 8000, clock });
  const handled: string[] = [];
  const stop = new AbortController();
  let inFlight = 0;
  let most = 0;
  let gate: Promise<void> | undefined;
  const handle = async (key: string): Promise<void> => {
    handled.push(key);
    most = Math.max(most, ++inFlight);
    await gate;
    inFlight--;
    if (key === 'bad') throw new Error('handler failed');
  };
  const run = queue.run({ workers, handle, signal: stop.signal });
  t.after(async () => {
    stop.abort();
    await run;
  });
  const hold = (): (() => void) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    gate = promise;
    return () => {
      gate = undefined;
      resolve();
    };
  };
  return { clock, queue, handled, stop, run, hold, most: () => most };
}

describe('Queue', () => {
  it('handles keys in the order they came, each once however often it was added', async (t) => {
    const { queue, handled, hold } = start(t);
    const release = hold();
    queue.add('first');
    await nextTurn();
    for (const key of ['b', 'a', 'b', 'b']) queue.add(key);
    assert.equal(queue.length, 2);
    release();
    await nextTurn();
    assert.deepEqual(handled, ['first', 'b', 'a']);
    assert.equal(queue.length, 0);
  });

  it('runs a key again that was added while it was handled, but never twice at the same time', async (t) => {
    const { queue, handled, hold, most } = start(t, 3);
    const release = hold();
    queue.add('a');
    await nextTurn();
    queue.add('a');
    queue.add('a');
    await nextTurn();
    assert.deepEqual(handled, ['a']);
    release();
    await nextTurn();
    assert.deepEqual(handled, ['a', 'a']);
    assert.equal(most(), 1);
  });

  it('goes on with other keys meanwhile, as many at once as there are workers', async (t) => {
    const { queue, handled, hold, most } = start(t, 2);
    const release = hold();
    for (const key of ['a', 'b', 'c']) queue.add(key);
    await nextTurn();
    assert.deepEqual(handled, ['a', 'b']);
    release();
    await nextTurn();
    assert.deepEqual(handled, ['a', 'b', 'c']);
    assert.equal(most(), 2);
  });

  for (const [name, waits, due] of [
    ['a later time does not put off an earlier one', [5000, 9000], 5000],
    ['an earlier time takes the place of a later one', [9000, 5000], 5000],
    ['no time at all is now', [9000, 0], 0],
  ] as const) {
    it(`adds later: ${name}`, async (t) => {
      const { queue, handled, clock } = start(t);
      for (const ms of waits) queue.addAfter('a', ms);
      await clock.advance(Math.max(0, due - 1));
      assert.deepEqual(handled, due === 0 ? ['a'] : []);
      await clock.advance(1);
      assert.deepEqual(handled, ['a']);
    });
  }

  it('adds a key once, not again at the later time that the earlier one replaced', async (t) => {
    const { queue, handled, clock } = start(t);
    queue.addAfter('a', 9000);
    queue.addAfter('a', 5000);
    await clock.advance(20_000);
    assert.deepEqual(handled, ['a']);
  });

  it('does not add a key later that was handled meanwhile, unless its time was set since', async (t) => {
    const { queue, handled, clock, hold } = start(t);
    queue.addAfter('a', 5000);
    queue.add('a');
    await clock.advance(10_000);
    assert.deepEqual(handled, ['a']);
    const release = hold();
    queue.add('a');
    await nextTurn();
    queue.addAfter('a', 5000);
    release();
    await clock.advance(5000);
    assert.deepEqual(handled, ['a', 'a', 'a']);
  });

  it('waits twice as long after each failure of a key, up to the limit, until the key is forgotten', async (t) => {
    const { queue, clock } = start(t);
    const waits: number[] = [];
    for (let n = 0; n < 6; n++) {
      if (n === 5) queue.forget('a');
      queue.addRateLimited('a');
      waits.push(clock.sleeps()[0] ?? 0);
      await clock.advance(8000);
    }
    assert.deepEqual(waits, [1000, 2000, 4000, 8000, 8000, 1000]);
  });

  it('waits longer where that is asked for, and still longer after the next failure', async (t) => {
    const { queue, clock } = start(t);
    const waits: number[] = [];
    for (const leastMs of [0, 3000, 3000]) {
      queue.addRateLimited('a', leastMs);
      waits.push(clock.sleeps()[0] ?? 0);
      await clock.advance(8000);
    }
    assert.deepEqual(waits, [1000, 3000, 4000]);
  });

  it('waits a day at the most, because a timer of Node cannot wait for a month', (t) => {
    const { queue, clock } = start(t);
    queue.addAfter('a', 2 ** 31);
    assert.deepEqual(clock.sleeps(), [24 * 3_600_000]);
  });

  it('survives a handler that throws, and tries that key again with back-off', async (t) => {
    const { queue, handled, clock } = start(t);
    queue.add('bad');
    queue.add('good');
    await nextTurn();
    assert.deepEqual(handled, ['bad', 'good']);
    await clock.advance(1000);
    await clock.advance(2000);
    assert.deepEqual(handled, ['bad', 'good', 'bad', 'bad']);
  });

  it('ends when aborted, after the handlers in flight, and starts no other', async (t) => {
    const { queue, handled, hold, stop, run } = start(t, 2);
    const release = hold();
    queue.add('a');
    queue.addAfter('later', 10);
    await nextTurn();
    let ended = false;
    const end = run.then(() => {
      ended = true;
    });
    queue.add('b');
    queue.add('c');
    await nextTurn();
    stop.abort();
    await nextTurn();
    assert.equal(ended, false);
    release();
    await end;
    assert.deepEqual(handled, ['a', 'b']);
  });
});
