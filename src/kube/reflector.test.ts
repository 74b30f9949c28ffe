import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { summary } from '../../test/env/kube-fixture.ts';
import { reflectorFixture } from '../../test/env/reflector-fixture.ts';
import { waitFor } from '../../test/env/wait.ts';

describe('Reflector', () => {
  it('lists, then follows what is added, modified and deleted, with one list and one watch', async (t) => {
    const fixture = await reflectorFixture(t, { prepare: ({ put }) => put('a', '1') });
    const { reflector, changes, put, remove, converged, watching, proxy } = fixture;
    await converged();
    assert.ok(reflector.hasSynced());
    await watching();
    await put('b', '2');
    await put('a', 'grüße 😀');
    await remove('b');
    await waitFor(() => changes.length === 4, { what: 'four changes' });
    assert.deepEqual(changes, ['added a=1', 'added b=2', 'modified a=grüße 😀', 'deleted b=2']);
    await converged();
    assert.deepEqual(summary(proxy.log), ['GET configmaps', 'WATCH configmaps']);
    const query = proxy.log[1]?.query;
    assert.equal(query?.get('allowWatchBookmarks'), 'true');
    assert.equal(query?.get('labelSelector'), 'test=kube');
    assert.equal(query?.get('timeoutSeconds'), '300');
  });

  it('has not synced, and has been silent for ever, before the first list is in', async (t) => {
    const held = Promise.withResolvers<void>();
    const prepare = async ({ proxy }: { proxy: { rule(rule: () => { kind: 'hold'; until: Promise<void> }): void } }) =>
      proxy.rule(() => ({ kind: 'hold', until: held.promise }));
    const { reflector, proxy, converged } = await reflectorFixture(t, { prepare });
    await waitFor(() => proxy.log.length === 1, { what: 'the list' });
    assert.equal(reflector.hasSynced(), false);
    assert.equal(reflector.silentForMs(), Number.POSITIVE_INFINITY);
    held.resolve();
    await waitFor(() => reflector.hasSynced(), { what: 'the first list' });
    assert.ok(reflector.silentForMs() < 10_000);
    await converged();
  });

  it('goes on when a callback throws, and says so in the log', async (t) => {
    const onChange = (): void => {
      throw new Error('callback failed');
    };
    const { put, converged, watching, logged } = await reflectorFixture(t, { onChange });
    await watching();
    await put('a', '1');
    await put('b', '2');
    await converged();
    assert.deepEqual(logged, ['change handler failed', 'change handler failed']);
  });

  it('ends when aborted, with its connection', async (t) => {
    const { watching, stop, proxy, logged, restarts } = await reflectorFixture(t);
    await watching();
    await stop();
    await waitFor(() => proxy.log.every(({ done }) => done), { what: 'the watch to be closed' });
    assert.equal(proxy.log.length, 2);
    assert.deepEqual([...logged, ...restarts], []);
  });
});
