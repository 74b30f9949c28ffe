import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  type ConfigMap,
  configMaps,
  type KubeFixture,
  kubeFixture,
  lines,
  summary,
} from '../../test/env/kube-fixture.ts';
import { when } from '../../test/env/proxy.ts';
import { ApiError } from './kube.ts';

const status = { kind: 'Status', code: 410, reason: 'Expired', message: 'The provided continue parameter is too old' };
const expired = { kind: 'answer', status: 410, body: JSON.stringify(status) } as const;
const count = 520;

describe('list', () => {
  let fixture: KubeFixture;
  const ends: (() => unknown)[] = [];
  after(() => Promise.all(ends.map((end) => end())));
  before(async () => {
    fixture = await kubeFixture({ after: (end) => ends.push(end) });
    const names = Array.from({ length: count }, (_, n) => `c${n}`);
    const worker = async (): Promise<void> => {
      for (let name = names.pop(); name !== undefined; name = names.pop()) {
        await fixture.client.create(configMaps, {
          metadata: { name, namespace: fixture.namespace, labels: { test: 'kube' } },
        });
      }
    };
    await Promise.all(Array.from({ length: 8 }, worker));
  });

  async function list(rule: Parameters<KubeFixture['proxy']['rule']>[0]) {
    const { client, proxy, namespace } = fixture;
    const from = proxy.log.length;
    const forget = proxy.rule(rule);
    try {
      const found = await client.list<ConfigMap>(configMaps, { namespace, labelSelector: 'test=kube' });
      return { names: lines(found.items), requests: proxy.log.slice(from).map(({ query }) => query) };
    } finally {
      forget();
    }
  }

  it('follows the pages of a long list, 500 at a time', async () => {
    const { names, requests } = await list(() => undefined);
    assert.equal(new Set(names).size, count);
    assert.deepEqual(
      requests.map((query) => [query.get('limit'), query.get('labelSelector'), query.has('continue')]),
      [
        ['500', 'test=kube', false],
        ['500', 'test=kube', true],
      ],
    );
  });

  it('asks for a page again that failed, and not for those before it', async () => {
    const troubles = [{ kind: 'answer', status: 500 }, { kind: 'drop' }, { kind: 'dropAnswer' }] as const;
    let next = 0;
    const { names, requests } = await list((request) => (request.query.has('continue') ? troubles[next++] : undefined));
    assert.equal(new Set(names).size, count);
    assert.deepEqual(
      requests.map((query) => query.has('continue')),
      [false, true, true, true, true],
    );
  });

  it('starts over when the token of a page has expired, and gives every object once', async () => {
    let first = true;
    const { names, requests } = await list((request) => {
      if (!first || !request.query.has('continue')) return undefined;
      first = false;
      return expired;
    });
    assert.equal(names.length, count);
    assert.equal(new Set(names).size, count);
    assert.equal(requests.length, 4);
  });

  it('asks for all in one piece when tokens expire again and again', async () => {
    const { names, requests } = await list(when((request) => request.query.has('continue'), expired));
    assert.equal(new Set(names).size, count);
    assert.equal(requests.length, 7);
    assert.equal(requests.at(-1)?.has('limit'), false);
  });

  it('gives up after a bounded number of requests when every list is called expired', async () => {
    const from = fixture.proxy.log.length;
    await assert.rejects(
      list(() => expired),
      (error) => error instanceof ApiError && error.status === 410,
    );
    assert.equal(summary(fixture.proxy.log.slice(from)).length, 4);
  });
});
