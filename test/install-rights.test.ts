// Who may what once kube-git is installed: kube-git itself what docs/install.md lists and no more, people what the roles of
// the cluster give them, and runs are written by nobody but kube-git.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { KubeObject } from '../src/api/object.ts';
import { kubeconfigOf } from './env/accounts.ts';
import { api, testCluster } from './env/cluster.ts';
import { type Installation, startInstallation, warnings } from './env/installation.ts';
import { waitFor } from './env/wait.ts';

/** The whole file, on a machine with much else to do; it takes half a minute alone. */
const timeout = 400_000;
const skip = testCluster().controllers ? false : 'there is no controller manager';
const account = { namespace: 'default', name: 'kube-git' };
const page = readFileSync(join(import.meta.dirname, '../docs/install.md'), 'utf8');

/** The rows of a table of docs/install.md, as `verb resource [name]`, sorted. */
function documented(heading: string): string[] {
  const [, rest = ''] = page.split(`\n### ${heading}\n`);
  const [section = ''] = rest.split('\n#');
  const rows = [...section.matchAll(/^\| `([^`]+)`(?: "([^"]+)")? +\| ([a-z, ]+?) +\|/gm)];
  return rows
    .flatMap(([, resource, name, verbs = '']) => verbs.split(', ').map((verb) => rightOf(verb, resource, name)))
    .sort();
}

function rightOf(verb: string, resource = '', name = ''): string {
  return `${verb} ${resource}${name && ` ${name}`}`;
}

describe('what the installation allows', { skip, timeout }, () => {
  let installation: Installation;
  let kubeGit: string;
  const cleanups: (() => unknown)[] = [];
  const whole = { after: (fn: () => unknown) => void cleanups.push(fn) };
  const kubectl: Installation['kubectl'] = (...args) => installation.kubectl(...args);

  before(async () => {
    installation = await startInstallation();
    assert.deepEqual(warnings(await kubectl(['apply', '-k', 'install'])), []);
    await installation.startControllers();
    for (const namespace of ['tenant', 'other']) await kubectl(['create', 'namespace', namespace]);
    assert.deepEqual(warnings(await kubectl(['apply', '-k', 'install/tenant', '-n', 'tenant'])), []);
    kubeGit = await kubeconfigOf(whole, account);
  });
  after(async () => {
    for (const cleanup of cleanups) await cleanup();
    await installation?.stop();
  });

  /** What `kubectl auth can-i --list` says of whoever the kubeconfig is, but for what every ServiceAccount may. */
  async function listed(namespace: string, kubeconfig = kubeGit): Promise<string[]> {
    const nobody = await kubeconfigOf(whole, { namespace: 'default', name: 'default' });
    const list = async (config: string): Promise<string[]> =>
      rightsIn((await kubectl(['auth', 'can-i', '--list', '-n', namespace], { kubeconfig: config })).stdout);
    const common = new Set(await list(nobody));
    return (await list(kubeconfig)).filter((right) => !common.has(right)).sort();
  }

  it('is, for kube-git in any namespace, what docs/install.md says and no more', async () => {
    assert.deepEqual(await listed('other'), documented('As itself, in every namespace'));
  });

  it('is, in its own namespace, the Lease besides', async () => {
    const wanted = [...documented('As itself, in every namespace'), ...documented('As itself, in its own namespace')];
    assert.deepEqual(await listed('default'), wanted.sort());
  });

  it('is, in a namespace with the tenant base, to act as that account besides', async () => {
    const wanted = [
      ...documented('As itself, in every namespace'),
      ...documented("As itself, in a tenant's namespace"),
    ];
    assert.deepEqual(await listed('tenant'), wanted.sort());
  });

  it('is, for the account of the tenant base, what docs/install.md says and no more', async () => {
    const runner = await kubeconfigOf(whole, { namespace: 'tenant', name: 'kube-git-runner' });
    assert.deepEqual(await listed('tenant', runner), documented("As kube-git-runner, in a tenant's namespace"));
    assert.deepEqual(await listed('other', runner), []);
  });

  it('is, with the cluster-wide overlay, what docs/install.md says and no more', async () => {
    const { stdout } = await kubectl(['kustomize', 'install/overlays/cluster-wide']);
    const roles = stdout.split('\n---\n').filter((text) => /^ {2}name: kube-git-cluster-wide$/m.test(text));
    assert.equal(roles.length, 2);
    await installation.shell(`kubectl apply -f - <<'END'\n${roles.join('\n---\n')}\nEND`);
    const both = [...documented('As itself, in every namespace'), ...documented('With the cluster-wide overlay')];
    const wanted = [...new Set(both)].sort();
    try {
      const isListed = async (): Promise<boolean> => (await listed('other')).length === wanted.length;
      await waitFor(isListed, { what: 'the cluster-wide role to count', deadlineMs: 20_000 }).catch(() => undefined);
      assert.deepEqual(await listed('other'), wanted);
    } finally {
      await installation.shell('kubectl delete clusterrole,clusterrolebinding kube-git-cluster-wide');
    }
  });

  for (const [whom, namespace] of [
    ['system:serviceaccount:tenant:default', 'tenant'],
    ['system:serviceaccount:other:kube-git-runner', 'other'],
    ['system:serviceaccount:other:kube-git-runner', 'tenant'],
    ['admin', 'tenant'],
  ] as const) {
    it(`does not let kube-git act as ${whom} in ${namespace}`, async () => {
      const args = ['get', 'pods', '-n', namespace, `--as=${whom}`];
      await assert.rejects(() => kubectl(args, { kubeconfig: kubeGit }), /cannot impersonate/);
    });
  }

  it('lets those who view a namespace see GitHooks and runs, and those who edit it keep GitHooks and delete runs', async () => {
    for (const role of ['view', 'edit', 'admin']) {
      await kubectl(['create', 'rolebinding', role, `--clusterrole=${role}`, `--user=${role}`, '-n', 'other']);
    }
    await waitFor(() => may('admin', 'delete', 'githookruns'), { what: 'the roles to be joined', deadlineMs: 60_000 });
    const table: readonly [user: string, verb: string, resource: string, allowed: boolean][] = [
      ['view', 'list', 'githooks', true],
      ['view', 'watch', 'githookruns', true],
      ['view', 'update', 'githooks', false],
      ['view', 'delete', 'githookruns', false],
      ['edit', 'get', 'githooks', true],
      ['edit', 'create', 'githooks', true],
      ['edit', 'patch', 'githooks', true],
      ['edit', 'delete', 'githookruns', true],
      ['edit', 'patch', 'githookruns', true],
      ['edit', 'update', 'githookruns', true],
      ['view', 'patch', 'githookruns', false],
      ['edit', 'create', 'githookruns', false],
      ['edit', 'update', 'githookruns/status', false],
      ['edit', 'update', 'githooks/status', false],
      ['admin', 'patch', 'githookruns/status', false],
    ];
    for (const [user, verb, resource, allowed] of table) {
      assert.equal(await may(user, verb, resource), allowed, `${user} ${verb} ${resource}`);
    }
  });

  it('lets those who edit a namespace annotate a run, and change neither what it records nor what came of it', async () => {
    const apply = (name: string, as: string, how: string) =>
      installation.shell(`kubectl ${how} -n other --as=${as} -f - <<'END'\n${JSON.stringify(runOf(name))}\nEND`);
    await apply('run', 'system:serviceaccount:default:kube-git', 'create');
    const edit = (...args: string[]) => kubectl([...args, '-n', 'other', '--as=edit']);
    const patch = (what: object, ...more: string[]) =>
      edit('patch', 'ghr', 'run', '--type=merge', '-p', JSON.stringify(what), ...more);
    await edit('annotate', 'ghr', 'run', 'kubegit.appspero.com/cancel=yes', 'kubegit.appspero.com/rerun=1');
    await assert.rejects(patch({ spec: { commit: 'f'.repeat(40) } }), /never changes, because it is the record/);
    await assert.rejects(patch({ status: { phase: 'Succeeded' } }, '--subresource=status'), /cannot patch resource/);
    await patch({ status: { phase: 'Succeeded' }, metadata: { labels: { mine: 'yes' } } });
    // A server-side apply creates what is not there, for those who may create.
    await assert.rejects(
      apply('forged', 'edit', 'apply --server-side'),
      /cannot create resource|nobody else creates them/,
    );
    await assert.rejects(apply('forged', 'admin', 'create'), /cannot create resource|nobody else creates them/);
    const run = await api<KubeObject>('GET', '/apis/kubegit.appspero.com/v1alpha1/namespaces/other/githookruns/run');
    assert.equal(run['status'], undefined);
    assert.deepEqual(
      Object.keys(run.metadata.annotations ?? {}).map((key) => key.split('/')[1]),
      ['cancel', 'rerun'],
    );
    await assert.rejects(
      kubectl(['annotate', 'ghr', 'run', 'x=y', '-n', 'other', '--as=view']),
      /cannot (patch|get) resource/,
    );
  });
});

function runOf(name: string): object {
  const commit = 'e'.repeat(40);
  return {
    ...{ apiVersion: 'kubegit.appspero.com/v1alpha1', kind: 'GitHookRun', metadata: { name } },
    spec: {
      ...{ gitHookRef: { name: 'app', uid: 'u' }, sequence: 1, source: 'Webhook', forge: 'github' },
      ...{ receivedTime: '2026-01-01T00:00:00Z', ref: 'refs/heads/main', commit, after: commit },
      ...{ repository: 'https://github.com/acme/app.git', manifest: 'ci/job.yaml' },
    },
  };
}

/** `verb resource [name]` of each row of kubectl auth can-i --list that is about resources. */
function rightsIn(table: string): string[] {
  const rows = table.split('\n').slice(1);
  return rows.flatMap((row) => {
    const [, resource = '', names = '', verbs = ''] =
      /^(\S*)\s+\[[^\]]*\]\s+\[([^\]]*)\]\s+\[([^\]]*)\]/.exec(row) ?? [];
    if (resource === '') return [];
    return verbs.split(' ').flatMap((verb) => names.split(' ').map((name) => rightOf(verb, resource, name)));
  });
}

async function may(who: string, verb: string, resource: string): Promise<boolean> {
  const [plural, subresource] = resource.split('/');
  const attributes = { namespace: 'other', group: 'kubegit.appspero.com', resource: plural, subresource, verb };
  const review = await api<KubeObject & { status: { allowed: boolean } }>(
    'POST',
    '/apis/authorization.k8s.io/v1/subjectaccessreviews',
    { spec: { user: who, resourceAttributes: attributes } },
  );
  return review.status.allowed;
}
