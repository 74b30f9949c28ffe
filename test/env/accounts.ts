// ServiceAccounts with just the rights a test gives them, and kubeconfigs to act as one.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { api, type TestContext, testCluster } from './cluster.ts';
import { waitFor } from './wait.ts';

export interface Account {
  readonly namespace: string;
  readonly name: string;
}

/** One rule of a Role, resource names included. */
export interface Right {
  readonly group?: string;
  readonly resource: string;
  readonly verbs: readonly string[];
  readonly names?: readonly string[];
}

export async function createAccount(account: Account): Promise<Account> {
  await api('POST', `/api/v1/namespaces/${account.namespace}/serviceaccounts`, { metadata: { name: account.name } });
  return account;
}

/** Gives the account these rights in its namespace and waits until the API server knows of them. */
export async function grant({ namespace, name }: Account, rights: readonly Right[]): Promise<void> {
  const path = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
  const rules = rights.map(({ group = '', resource, verbs, names }) => ({
    ...{ apiGroups: [group], resources: [resource], verbs },
    ...(names && { resourceNames: names }),
  }));
  const role = await api<{ metadata: { name: string } }>('POST', `${path}/roles`, {
    ...{ metadata: { generateName: `${name}-` }, rules },
  });
  await api('POST', `${path}/rolebindings`, {
    metadata: { name: role.metadata.name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: role.metadata.name },
    subjects: [{ kind: 'ServiceAccount', namespace, name }],
  });
  for (const right of rights) {
    await waitFor(() => isAllowed({ namespace, name }, right), { what: `${name} to have ${JSON.stringify(right)}` });
  }
}

async function isAllowed(
  { namespace, name }: Account,
  { group = '', resource, verbs, names }: Right,
): Promise<boolean> {
  const [plural, subresource] = resource.split('/');
  const review = await api<{ status: { allowed: boolean } }>(
    'POST',
    '/apis/authorization.k8s.io/v1/subjectaccessreviews',
    {
      spec: {
        user: `system:serviceaccount:${namespace}:${name}`,
        resourceAttributes: { namespace, group, resource: plural, subresource, verb: verbs[0], name: names?.[0] },
      },
    },
  );
  return review.status.allowed;
}

/** The path of a kubeconfig that acts as the account. Gone after the test. */
export async function kubeconfigOf(t: TestContext, { namespace, name }: Account): Promise<string> {
  const { server, ca } = testCluster();
  const { status } = await api<{ status: { token: string } }>(
    'POST',
    `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
    { spec: {} },
  );
  const folder = await mkdtemp(join(tmpdir(), 'kube-git-account-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'kubeconfig');
  const config = {
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': name },
    clusters: [{ name, cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } }],
    users: [{ name, user: { token: status.token } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
  };
  await writeFile(file, JSON.stringify(config), { mode: 0o600 });
  return file;
}
