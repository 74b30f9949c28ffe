import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ConfigMap, configMaps, kubeFixture, lines } from '../../test/env/kube-fixture.ts';
import { ApiError, isAlreadyExists, isConflict, isNotFound, type ResourceType, type StoredObject } from './kube.ts';

const jobs: ResourceType = { group: 'batch', version: 'v1', plural: 'jobs' };

function configMap(namespace: string, name: string, value: string): ConfigMap {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace, labels: { test: 'kube' } },
    data: { value },
  };
}

interface Job extends StoredObject {
  readonly metadata: StoredObject['metadata'] & { readonly name: string };
  readonly status?: { readonly active?: number };
}

function job(namespace: string, name: string): Job {
  const container = { name: 'main', image: 'busybox' };
  // Managed by nobody here, so that the Job controller's writes do not come between ours.
  const spec = {
    managedBy: 'example.com/nobody',
    template: { spec: { restartPolicy: 'Never', containers: [container] } },
  };
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name, namespace }, spec } as Job;
}

describe('KubeClient', () => {
  it('creates, gets, replaces, patches, lists and deletes, and drops no field', async (t) => {
    const { client, namespace, api, truth } = await kubeFixture(t);
    const key = { namespace, name: 'a' };
    const created = await client.create(configMaps, configMap(namespace, 'a', 'grüße 😀'));
    assert.ok(created.metadata.uid);
    const found = await client.get<ConfigMap>(configMaps, key);
    assert.deepEqual(found, await api('GET', 'configmaps/a'));
    await client.replace(configMaps, { ...found, data: { value: 'replaced' } });
    assert.deepEqual(await truth(), ['a=replaced']);
    const patched = await client.patch<ConfigMap>(configMaps, key, { data: { value: 'patched', more: 'x' } });
    assert.deepEqual(patched.data, { value: 'patched', more: 'x' });
    assert.deepEqual(lines((await client.list<ConfigMap>(configMaps, { namespace })).items), ['a=patched']);
    await client.delete(configMaps, key, { uid: created.metadata.uid });
    assert.deepEqual(await truth(), []);
  });

  it('lists with selectors, and gives the items their kind', async (t) => {
    const { client, namespace, put } = await kubeFixture(t);
    await put('a', '1');
    await put('b', '2');
    const fieldSelector = 'metadata.name=b';
    const { items, resourceVersion } = await client.list(configMaps, {
      namespace,
      labelSelector: 'test=kube',
      fieldSelector,
    });
    assert.deepEqual(
      items.map(({ apiVersion, kind, metadata }) => [apiVersion, kind, metadata.name]),
      [['v1', 'ConfigMap', 'b']],
    );
    assert.match(resourceVersion, /^\d+$/);
  });

  it('refuses a field that does not exist, with the name of the field', async (t) => {
    const { client, namespace } = await kubeFixture(t);
    const misspelt = { ...configMap(namespace, 'a', '1'), dta: { x: 'y' } };
    await assert.rejects(client.create(configMaps, misspelt), /unknown field "dta"/);
    await client.create(configMaps, configMap(namespace, 'a', '1'));
    const key = { namespace, name: 'a' };
    await assert.rejects(client.patch(configMaps, key, { dta: { x: 'y' } }), /unknown field "dta"/);
    await assert.rejects(client.replace(configMaps, misspelt), /unknown field "dta"/);
  });

  it('tells apart not found, already exists and conflict', async (t) => {
    const { client, namespace } = await kubeFixture(t);
    await assert.rejects(client.get(configMaps, { namespace, name: 'none' }), (error) => isNotFound(error));
    const first = await client.create(configMaps, configMap(namespace, 'a', '1'));
    await assert.rejects(client.create(configMaps, configMap(namespace, 'a', '2')), (error) => isAlreadyExists(error));
    await client.replace(configMaps, { ...first, data: { value: '3' } });
    await assert.rejects(client.replace(configMaps, { ...first, data: { value: '4' } }), (error) => isConflict(error));
    await assert.rejects(client.delete(configMaps, { namespace, name: 'a' }, { uid: 'another' }), (error) =>
      isConflict(error),
    );
  });

  it('writes status as compare-and-swap: the second writer gets a conflict, reads again and wins', async (t) => {
    const { client, namespace } = await kubeFixture(t);
    const first = await client.create(jobs, job(namespace, 'a'));
    await client.replace(jobs, { ...first, status: { active: 1 } }, { subresource: 'status' });
    const second = client.replace(jobs, { ...first, status: { active: 2 } }, { subresource: 'status' });
    await assert.rejects(second, (error) => isConflict(error));
    const fresh = await client.get<Job>(jobs, { namespace, name: 'a' });
    await client.replace(jobs, { ...fresh, status: { active: 2 } }, { subresource: 'status' });
    const patch = { status: { active: 3 } };
    const patched = await client.patch<Job>(jobs, { namespace, name: 'a' }, patch, { subresource: 'status' });
    assert.equal(patched.status?.active, 3);
  });

  it('sends its name, its token and what it accepts, and reports each request', async (t) => {
    const { client, namespace, proxy, reported } = await kubeFixture(t);
    await client.list(configMaps, { namespace });
    await client.get(configMaps, { namespace, name: 'none' }).catch(() => undefined);
    const headers = proxy.log[0]?.headers;
    assert.equal(headers?.['user-agent'], 'kube-git/0-test');
    assert.equal(headers?.accept, 'application/json');
    assert.deepEqual(reported, ['list 200', 'get 404']);
  });

  for (const name of ['', '.', '..', 'a/b']) {
    it(`sends nothing for an object named "${name}", whose path would be another's`, async (t) => {
      const { client, namespace, proxy } = await kubeFixture(t);
      await assert.rejects(client.delete(configMaps, { namespace, name }), /not a name/);
      await assert.rejects(client.get(configMaps, { namespace, name }), /not a name/);
      assert.equal(proxy.log.length, 0);
    });
  }

  it('throws ApiError with the status and the message of a server that does not speak Kubernetes', async (t) => {
    const { client, namespace, proxy } = await kubeFixture(t);
    proxy.rule(() => ({ kind: 'answer', status: 502, body: '<h1>Bad gateway</h1>' }));
    await assert.rejects(
      client.get(configMaps, { namespace, name: 'a' }),
      (error) => error instanceof ApiError && error.status === 502 && error.message === '<h1>Bad gateway</h1>',
    );
  });
});
