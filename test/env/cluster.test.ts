// The cluster of this test run: reachable, verified, with our CRDs; and waiting in tests.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { api, testCluster, testNamespace } from './cluster.ts';
import { waitFor } from './wait.ts';

describe('testNamespace', () => {
  it('gives a fresh namespace each time, deleted after the test', async (t) => {
    const ends: (() => unknown)[] = [];
    const [one, other] = [await testNamespace({ after: (fn) => ends.push(fn) }), await testNamespace(t)];
    assert.notEqual(one, other);
    await ends[0]?.();
    const { status } = await api<{ status: { phase: string } }>('GET', `/api/v1/namespaces/${one}`);
    assert.equal(status.phase, 'Terminating');
  });

  it('lets the test delete it first', async () => {
    const ends: (() => unknown)[] = [];
    const name = await testNamespace({ after: (fn) => ends.push(fn) });
    const path = `/api/v1/namespaces/${name}`;
    await api('DELETE', path);
    await ends[0]?.(); // on its way
    // What a controller manager does once the namespace is empty; it may be faster.
    await api('PUT', `${path}/finalize`, { metadata: { name }, spec: { finalizers: [] } }).catch(() => {});
    await assert.rejects(api('GET', path), { status: 404 });
    await ends[0]?.();
  });
});

describe('testCluster', () => {
  it('serves our kinds', async (t) => {
    const namespace = await testNamespace(t);
    for (const plural of ['githooks', 'githookruns']) {
      const list = await api<{ items: unknown[] }>(
        'GET',
        `/apis/kubegit.appspero.com/v1alpha1/namespaces/${namespace}/${plural}`,
      );
      assert.deepEqual(list.items, []);
    }
  });

  it('collects what belongs to an object that is gone', async (t) => {
    if (!testCluster().controllers) return t.skip('this cluster has no controller manager');
    const maps = `/api/v1/namespaces/${await testNamespace(t)}/configmaps`;
    const owner = await api<{ metadata: { uid: string } }>('POST', maps, { metadata: { name: 'owner' } });
    const reference = { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: owner.metadata.uid };
    await api('POST', maps, { metadata: { name: 'owned', ownerReferences: [reference] } });
    await api('DELETE', `${maps}/owner`);
    const isGone = async (): Promise<boolean> =>
      api('GET', `${maps}/owned`).then(
        () => false,
        (error: { status?: number }) => error.status === 404,
      );
    await waitFor(isGone, { what: 'the owned ConfigMap to be collected', deadlineMs: 30_000 });
  });

  it('says how to start tests where there is none', () => {
    assert.throws(() => testCluster({}), /start tests with npm test/);
  });
});

describe('waitFor', () => {
  it('gives the first value that is neither undefined nor false, through errors', async () => {
    const answers = [undefined, false, new Error('not yet'), 0];
    const next = (): number | undefined | false => {
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      return answer as number | undefined | false;
    };
    assert.equal(await waitFor(next, { what: 'a number', everyMs: 1 }), 0);
  });

  it('says what was waited for and what was last seen', async () => {
    const options = { what: 'the phase', deadlineMs: 5, everyMs: 1 };
    await assert.rejects(
      waitFor(() => false, options),
      /waited 0\.005 s in vain for the phase; last: false/,
    );
    const fail = (): never => {
      throw new Error('404 not found');
    };
    await assert.rejects(waitFor(fail, options), /last: 404 not found/);
  });

  it('rejects when the signal is aborted, also while the condition does not answer', async () => {
    const stop = new AbortController();
    const silent = (): Promise<boolean> => {
      setImmediate(() => stop.abort(new Error('Ctrl-C')));
      return new Promise(() => {});
    };
    await assert.rejects(waitFor(silent, { what: 'nothing', signal: stop.signal }), /Ctrl-C/);
  });
});
