// A type that the cluster need not have, such as another program's: quiet while it is missing, noticed when it comes.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ManualClock } from '../../test/env/manual-clock.ts';
import type { ProxiedRequest, Rule } from '../../test/env/proxy.ts';
import { reflectorFixture } from '../../test/env/reflector-fixture.ts';
import { waitFor } from '../../test/env/wait.ts';

/** Between two attempts. */
const longestWaitMs = 30_000;

const pageNotFound = '404 page not found\n';

/** As an API server answers that does not know the type, for as long as `missing` says so. */
function unlessThere(state: { missing: boolean }): Rule {
  const isAbout = ({ path }: ProxiedRequest): boolean => path.endsWith('/configmaps');
  return (request) =>
    state.missing && isAbout(request) ? { kind: 'answer', status: 404, body: pageNotFound } : undefined;
}

describe('Reflector of a type that the cluster need not have', () => {
  it('has synced and is empty while it is missing, says so once, and follows it from when it is there', async (t) => {
    const state = { missing: true };
    const fixture = await reflectorFixture(t, {
      optional: true,
      prepare: async ({ put, proxy }) => {
        await put('a', '1');
        proxy.rule(unlessThere(state));
      },
    });
    const { reflector, logged, restarts, proxy, changes, converged, watching, put } = fixture;
    await waitFor(() => proxy.log.length >= 3, { what: 'three lists in vain' });
    assert.equal(reflector.hasSynced(), true);
    assert.deepEqual([...reflector.list(), ...changes, ...restarts], []);
    assert.deepEqual(logged, ['not installed in this cluster, looked for again and again']);
    state.missing = false;
    await converged();
    await watching();
    await put('b', '2');
    await converged();
    assert.deepEqual(changes, ['added a=1', 'added b=2']);
    assert.deepEqual(logged.slice(1), ['installed now']);
  });

  it('that was there and is missing keeps what it has for a minute, then tells that all is gone', async (t) => {
    const clock = new ManualClock();
    const state = { missing: false };
    const fixture = await reflectorFixture(t, {
      clock,
      optional: true,
      prepare: async ({ put, proxy }) => {
        await put('a', '1');
        proxy.rule(unlessThere(state));
      },
    });
    const { reflector, logged, proxy, changes, watching } = fixture;
    await watching();
    state.missing = true;
    proxy.resetAll();
    await waitFor(() => fixture.restarts.length === 1, { what: 'the watch to end' });
    /** Passes the wait before the next attempt; a longer one is that of an open watch. */
    const passWait = async (): Promise<void> => {
      const requests = proxy.log.length;
      const waits = (): number[] => clock.sleeps().filter((ms) => ms <= longestWaitMs);
      const [ms = 0] = await waitFor(() => waits().length === 1 && waits(), { what: 'the wait' });
      await clock.advance(ms);
      await waitFor(() => proxy.log.length > requests, { what: 'the next attempt' });
    };
    while (clock.monotonic() < 55_000) await passWait();
    assert.deepEqual(changes, ['added a=1']);
    while (clock.monotonic() < 100_000) await passWait();
    await waitFor(() => changes.length === 2, { what: 'the end to be told' });
    assert.deepEqual(changes, ['added a=1', 'deleted a=1']);
    assert.deepEqual(reflector.list(), []);
    assert.equal(logged.filter((message) => message.startsWith('not installed')).length, 1);
  });

  it('is a failure like others where the cluster must have it', async (t) => {
    const fixture = await reflectorFixture(t, {
      prepare: async ({ proxy }) => proxy.rule(unlessThere({ missing: true })),
    });
    await waitFor(() => fixture.restarts.length >= 2, { what: 'two attempts in vain' });
    assert.equal(fixture.reflector.hasSynced(), false);
  });
});
