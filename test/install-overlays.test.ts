// kube-git as each folder of install starts it, with the flags and the rights that stand there: what its NoPermission says
// helps in that installation, word by word, and Ready is True after it by itself, also where a push was refused before.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Condition } from '../src/api/conditions.ts';
import type { KubeObject } from '../src/api/object.ts';
import { kubeconfigOf } from './env/accounts.ts';
import { api } from './env/cluster.ts';
import { type Installation, startInstallation } from './env/installation.ts';
import { jobManifest, type Scenario, startScenario } from './env/scenario.ts';
import { waitFor } from './env/wait.ts';

/** Of one test, on a machine with much else to do; it takes ten seconds alone. */
const timeout = 300_000;

type Context = { after(fn: () => unknown): void };

interface Deployment extends KubeObject {
  readonly spec: { readonly template: { readonly spec: { readonly containers: readonly { args: string[] }[] } } };
}

/** A cluster with kube-git as the folder says it, and one namespace that has not allowed it anything. */
async function start(
  t: Context,
  { folder, namespace, before }: { readonly folder: string; readonly namespace: string; readonly before?: string },
): Promise<{ readonly installation: Installation; readonly s: Scenario }> {
  const shared = process.env['KUBEGIT_TEST_KUBECONFIG'];
  const installation = await startInstallation();
  const inCluster: (() => unknown)[] = [];
  const first = { after: (fn: () => unknown) => void inCluster.push(fn) };
  t.after(async () => {
    for (const cleanUp of inCluster) await cleanUp();
    await installation.stop();
    process.env['KUBEGIT_TEST_KUBECONFIG'] = shared;
  });
  await installation.kubectl(['apply', '-k', folder]);
  if (before) await installation.shell(before);
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments/kube-git`;
  const [container] = (await api<Deployment>('GET', path)).spec.template.spec.containers;
  const kubeconfig = await kubeconfigOf(first, { namespace, name: 'kube-git' });
  const env = { POD_NAMESPACE: namespace };
  const s = await startScenario(first, { kubeconfig, env, args: ['-namespace=', ...(container?.args ?? [])] });
  return { installation, s };
}

function ready(s: Scenario, status: string): Promise<Condition> {
  const find = async (): Promise<Condition | undefined> =>
    (await s.readGitHook('app')).status?.conditions?.find((one) => one.type === 'Ready' && one.status === status);
  return waitFor(find, { what: `Ready ${status}`, deadlineMs: 90_000 });
}

/** What the run and the GitHook say of a push that is refused. */
async function refusals(s: Scenario): Promise<readonly string[]> {
  await s.gitHook('app');
  const commit = await s.push({ 'job.yaml': jobManifest });
  const { status } = await s.untilRun(commit, (run) => run.status?.completionTime !== undefined, 'ended');
  const { reason, message } = await ready(s, 'False');
  assert.deepEqual([status?.reason, reason], ['NoPermission', 'NoPermission']);
  return [status?.message ?? '', message];
}

describe('NoPermission', { timeout }, () => {
  for (const { folder, namespace, tenantBase } of [
    { folder: 'install', namespace: 'default', tenantBase: 'install/tenant' },
    {
      folder: 'install/overlays/own-namespace',
      namespace: 'kube-git',
      tenantBase: 'install/overlays/own-namespace/tenant',
    },
  ]) {
    it(`of ${folder} names its command, after which the GitHook is Ready without another push`, async (t) => {
      const { installation, s } = await start(t, { folder, namespace });
      const commands = (await refusals(s)).map((text) => /kubectl [a-z0-9 /-]+[a-z0-9]/.exec(text)?.[0]);
      const command = `kubectl apply -k ${tenantBase} -n ${s.namespace}`;
      assert.deepEqual(commands, [command, command]);
      await installation.shell(command);
      await ready(s, 'True');
      assert.equal((await s.runs()).length, 1);
    });
  }

  it('of install/overlays/cluster-wide names that folder, after which the GitHook is Ready', async (t) => {
    const folder = 'install/overlays/cluster-wide';
    const before = 'kubectl delete clusterrolebinding kube-git-cluster-wide';
    const { installation, s } = await start(t, { folder, namespace: 'default', before });
    for (const text of await refusals(s)) {
      assert.match(text, /Role and a RoleBinding, or in every namespace as install\/overlays\/cluster-wide does/);
      assert.doesNotMatch(text, /kubectl/);
    }
    await installation.kubectl(['apply', '-k', folder]);
    await ready(s, 'True');
  });
});
