import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { testCluster } from '../../test/env/cluster.ts';
import { type ConfigMap, configMaps, kubeFixture } from '../../test/env/kube-fixture.ts';
import { waitFor } from '../../test/env/wait.ts';
import { KubeClient } from './client.ts';
import { fixedCredentials } from './credentials.ts';
import { ApiError, type Kube, type StoredObject } from './kube.ts';
import { loadKubeConfig } from './kubeconfig.ts';

const serviceAccounts = { group: '', version: 'v1', plural: 'serviceaccounts' };
const secrets = { group: '', version: 'v1', plural: 'secrets' };
const rbac = { group: 'rbac.authorization.k8s.io', version: 'v1' };
const forbidden = (error: unknown): boolean => error instanceof ApiError && error.status === 403;

/** A Role of the namespace and who has it. */
async function grant(
  admin: Kube,
  namespace: string,
  name: string,
  { rule, to }: { rule: object; to: object },
): Promise<void> {
  const metadata = { name, namespace };
  await admin.create({ ...rbac, plural: 'roles' }, { metadata, rules: [rule] } as StoredObject);
  const roleRef = { apiGroup: rbac.group, kind: 'Role', name };
  await admin.create({ ...rbac, plural: 'rolebindings' }, { metadata, roleRef, subjects: [to] } as StoredObject);
}

describe('as', () => {
  it("acts as a ServiceAccount with its groups' rights, needing no more than a Role of the namespace", async (t) => {
    const { client: admin, namespace, proxy, api } = await kubeFixture(t);
    for (const name of ['kube-git', 'runner']) await admin.create(serviceAccounts, { metadata: { name, namespace } });
    const self = { kind: 'ServiceAccount', name: 'kube-git', namespace };
    const rule = { apiGroups: [''], resources: ['serviceaccounts'], resourceNames: ['runner'], verbs: ['impersonate'] };
    await grant(admin, namespace, 'impersonator', { rule, to: self });
    const group = { kind: 'Group', apiGroup: rbac.group, name: `system:serviceaccounts:${namespace}` };
    const readConfigMaps = { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list', 'create'] };
    await grant(admin, namespace, 'reader', { rule: readConfigMaps, to: group });
    const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
    const path = 'serviceaccounts/kube-git/token';
    const { status } = await api<{ status: { token: string } }>('POST', path, request);
    const kube = new KubeClient({
      server: { url: new URL(proxy.url) },
      credentials: fixedCredentials({ token: status.token }),
    });
    t.after(() => kube.close());

    const runner = kube.as({ namespace, name: 'runner' });
    // The API server takes a moment to know of new Roles.
    const create = (): Promise<ConfigMap> =>
      runner.create<ConfigMap>(configMaps, { metadata: { name: 'a', namespace } });
    await waitFor(create, { what: 'the Roles to count' });
    assert.equal((await runner.get(configMaps, { namespace, name: 'a' })).metadata.name, 'a');
    assert.equal(proxy.log.at(-1)?.headers['impersonate-user'], `system:serviceaccount:${namespace}:runner`);
    await assert.rejects(runner.list(secrets, { namespace }), forbidden);
    await assert.rejects(kube.as({ namespace, name: 'default' }).list(configMaps, { namespace }), forbidden);
    await assert.rejects(kube.as({ namespace: 'default', name: 'runner' }).list(configMaps, { namespace }), forbidden);
    await kube.get(configMaps, { namespace, name: 'a' });
    assert.equal(proxy.log.at(-1)?.headers['impersonate-user'], undefined);
  });

  for (const account of [
    { namespace: 'a:b', name: 'c' },
    { namespace: 'a', name: 'b\r\nImpersonate-Group: system:masters' },
    { namespace: '', name: 'b' },
  ]) {
    it(`refuses a name that is none: ${JSON.stringify(account)}`, async (t) => {
      const { client } = await kubeFixture(t);
      assert.throws(() => client.as(account), /not the name of a ServiceAccount/);
    });
  }
});

describe('KubeClient from a kubeconfig', () => {
  it('reaches the cluster over TLS', async (t) => {
    const client = new KubeClient(await loadKubeConfig({ kubeconfig: testCluster().kubeconfig, env: {} }));
    t.after(() => client.close());
    const { items } = await client.list({ group: '', version: 'v1', plural: 'namespaces' });
    assert.ok(items.some(({ metadata }) => metadata.name === 'default'));
  });
});
