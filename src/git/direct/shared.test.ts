import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Shared } from './shared.ts';

const { signal } = new AbortController();

/** Work that ends when the test says so, counted. */
function work() {
  const gates: PromiseWithResolvers<string>[] = [];
  return { gates, start: () => gates[gates.push(Promise.withResolvers<string>()) - 1]!.promise };
}

describe('shared work', () => {
  it('is done once for all who ask meanwhile, and anew for who asks later', async () => {
    const shared = new Shared<string>();
    const { gates, start } = work();
    const all = [1, 2, 3].map(() => shared.run('a', start, signal));
    const other = shared.run('b', start, signal);
    gates[0]?.resolve('one');
    gates[1]?.resolve('two');
    assert.deepEqual(await Promise.all([...all, other]), ['one', 'one', 'one', 'two']);
    const later = shared.run('a', start, signal);
    gates[2]?.resolve('three');
    assert.equal(await later, 'three');
  });

  it('is done anew by who waits when it fails, whose error nobody else gets', async () => {
    const shared = new Shared<string>();
    const { gates, start } = work();
    const [first, ...others] = [1, 2, 3].map(() => shared.run('a', start, signal));
    gates[0]?.reject(new Error('the run was deleted'));
    await assert.rejects(first ?? Promise.resolve(), /the run was deleted/);
    await nextTurn();
    assert.equal(gates.length, 2);
    gates[1]?.resolve('done');
    assert.deepEqual(await Promise.all(others), ['done', 'done']);
  });

  it('holds nobody who is called off', async () => {
    const shared = new Shared<string>();
    const { gates, start } = work();
    const first = shared.run('a', start, signal);
    const stop = new AbortController();
    const second = shared.run('a', start, stop.signal);
    stop.abort(new Error('no longer wanted'));
    await assert.rejects(second, /no longer wanted/);
    gates[0]?.resolve('done');
    assert.equal(await first, 'done');
    assert.equal(gates.length, 1);
  });
});
