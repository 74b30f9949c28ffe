// As whom kube-git acts: the account that the GitHook or the installation names reads the Secrets and creates the Job.
// kube-git itself may be allowed none of that.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GitHookRun } from '../../src/api/githookrun.ts';
import { type Account, createAccount, grant, kubeconfigOf, type Right } from '../env/accounts.ts';
import { api, testCluster } from '../env/cluster.ts';
import { type FaultProxy, startProxy } from '../env/proxy.ts';
import { jobManifest, type Scenario, type ScenarioOptions, startScenario } from '../env/scenario.ts';
import { waitFor } from '../env/wait.ts';

const gitCredentials = { username: 'deploy', password: 'password-of-the-permission-test' };
const passwordSecret = { name: 'git', key: 'password' };
const usernameSecret = { name: 'git', key: 'username' };

/** What docs/githook.md asks of an account that runs Jobs. */
const readSecrets: Right = { resource: 'secrets', verbs: ['get'] };
const runnerRights: readonly Right[] = [
  { group: 'batch', resource: 'jobs', verbs: ['create', 'get', 'list', 'watch', 'patch'] },
  readSecrets,
  { resource: 'pods', verbs: ['list'] },
];

const group = 'kubegit.appspero.com';
/** kube-git's own: no Secrets, no creating of Jobs, and no acting as others. */
const controllerRights: readonly Right[] = [
  { group, resource: 'githooks', verbs: ['get', 'list', 'watch'] },
  { group, resource: 'githooks/status', verbs: ['update'] },
  { group, resource: 'githookruns', verbs: ['create', 'get', 'list', 'watch'] },
  { group, resource: 'githookruns/status', verbs: ['update', 'patch'] },
  { group: 'batch', resource: 'jobs', verbs: ['get', 'list', 'watch'] },
  { group: 'argoproj.io', resource: 'workflows', verbs: ['get', 'list', 'watch'] },
  { resource: 'events', verbs: ['create', 'patch'] },
  { group: 'coordination.k8s.io', resource: 'leases', verbs: ['create', 'get', 'update'] },
];

type Context = { after(fn: () => unknown): void };
type Ground = Scenario & { readonly runner: Account; readonly apiProxy: FaultProxy };

/** kube-git as admin, before it a proxy that sees as whom it acts, and an account without rights called runner. */
async function start(t: Context, options: ScenarioOptions = {}): Promise<Ground> {
  const { server, ca } = testCluster();
  const apiProxy = await startProxy({ target: new URL(server), ca });
  t.after(() => apiProxy.close());
  const args = ['-allow-insecure-credentials', ...(options.args ?? [])];
  const s = await startScenario(t, { ...options, gitCredentials, master: apiProxy.url, args });
  await api('POST', `/api/v1/namespaces/${s.namespace}/secrets`, {
    metadata: { name: 'git' },
    stringData: gitCredentials,
  });
  const runner = await createAccount({ namespace: s.namespace, name: 'runner' });
  return { ...s, runner, apiProxy };
}

const ended = (run: GitHookRun): boolean => run.status?.phase === 'Failed' && run.status.completionTime !== undefined;

/** From a push to the end of its Job. */
async function runToTheEnd(s: Scenario): Promise<void> {
  const commit = await s.push({ 'job.yaml': jobManifest });
  const running = await s.untilRun(commit, ({ status }) => status?.phase === 'Running', 'Running');
  await s.endJob(running.status?.resource?.name ?? '', 'Failed');
  await s.untilRun(commit, ({ status }) => status?.phase === 'Failed' && status.handedBack === true, 'Failed');
}

describe('serviceAccountName', () => {
  for (const { what, rights, words } of [
    { what: 'read the Secret', rights: [], words: /User "[^"]+:runner" cannot get resource "secrets"/ },
    {
      what: 'create Jobs',
      rights: [readSecrets],
      words: /User "[^"]+:runner" cannot create resource "jobs"/,
    },
  ]) {
    it(`that may not ${what} ends the run as NoPermission, with what to do`, async (t) => {
      const s = await start(t);
      if (rights.length > 0) await grant(s.runner, rights);
      await s.gitHook('app', { serviceAccountName: 'runner', usernameSecret, passwordSecret });
      const commit = await s.push({ 'job.yaml': jobManifest });
      const { status } = await s.untilRun(commit, ended, 'Failed');
      assert.equal(status?.reason, 'NoPermission');
      assert.match(status?.message ?? '', words);
      const advice = /^ServiceAccount "runner" of namespace .* Give it that permission with a Role and a RoleBinding/;
      assert.match(status?.message ?? '', advice);
      assert.deepEqual(await s.jobs(), []);
      await waitFor(
        async () => (await s.readGitHook('app')).status?.conditions?.some(({ reason }) => reason === 'NoPermission'),
        { what: 'Ready False/NoPermission on the GitHook' },
      );
    });
  }

  it('that may is the account that reads the Secret and creates, patches and looks into the Job', async (t) => {
    const s = await start(t);
    await grant(s.runner, runnerRights);
    await s.gitHook('app', { serviceAccountName: 'runner', usernameSecret, passwordSecret });
    await runToTheEnd(s);
    const acts = s.apiProxy.log.filter(
      ({ method, path, query }) =>
        /\/secrets\/|\/pods$/.test(path) || (/\/jobs/.test(path) && method !== 'GET' && !query.has('watch')),
    );
    const seen = new Set(
      acts.map(({ method, path }) => `${method} ${path.split('/').at(method === 'POST' ? -1 : -2)}`),
    );
    assert.deepEqual([...seen].sort(), ['GET secrets', `GET ${s.namespace}`, 'PATCH jobs', 'POST jobs'].sort());
    for (const { method, path, headers, status } of acts) {
      const user = `system:serviceaccount:${s.namespace}:runner`;
      assert.equal(headers['impersonate-user'], user, `${method} ${path}`);
      assert.ok((status ?? 0) < 300, `${method} ${path} answered ${status}`);
    }
  });
});

describe('-default-service-account', () => {
  it('is used where the GitHook names none, and is named when it lacks a right', async (t) => {
    const s = await start(t, { args: ['-default-service-account', 'runner'] });
    await s.gitHook('app', { usernameSecret, passwordSecret });
    const refused = await s.push({ 'job.yaml': jobManifest });
    const { status } = await s.untilRun(refused, ended, 'Failed');
    assert.equal(status?.reason, 'NoPermission');
    assert.match(status?.message ?? '', /^ServiceAccount "runner" of namespace .* cannot get resource "secrets"/);
    await grant(s.runner, runnerRights);
    await runToTheEnd(s);
  });

  it('gives way to the GitHook’s own', async (t) => {
    const s = await start(t, { args: ['-default-service-account', 'nobody'] });
    await grant(s.runner, runnerRights);
    await s.gitHook('app', { serviceAccountName: 'runner', usernameSecret, passwordSecret });
    await runToTheEnd(s);
  });
});

describe('kube-git without rights of its own to Secrets and Jobs', () => {
  it('says that it may not act as the account, and runs once it may', async (t) => {
    const s = await start(t);
    await grant(s.runner, runnerRights);
    const self = await createAccount({ namespace: s.namespace, name: 'kube-git' });
    await grant(self, controllerRights);
    await s.kubeGit.stop();
    await s.restart({ kubeconfig: await kubeconfigOf(t, self) });
    await s.gitHook('app', { serviceAccountName: 'runner', usernameSecret, passwordSecret });
    const refused = await s.push({ 'job.yaml': jobManifest });
    const { status } = await s.untilRun(refused, ended, 'Failed');
    assert.equal(status?.reason, 'NoPermission');
    assert.match(
      status?.message ?? '',
      /^ServiceAccount "kube-git" of .* cannot impersonate resource "serviceaccounts"/,
    );
    await grant(self, [{ resource: 'serviceaccounts', verbs: ['impersonate'], names: ['runner'] }]);
    await runToTheEnd(s);
  });
});

describe('Ready', () => {
  const ready = async (s: Scenario, status: string) =>
    waitFor(
      async () => {
        const { conditions = [] } = (await s.readGitHook('app')).status ?? {};
        return conditions.find((one) => one.type === 'Ready' && one.status === status);
      },
      { what: `Ready ${status} on the GitHook`, deadlineMs: 60_000 },
    );

  it('is False after a push that lacked a right, names what is missing now, and is True once it is there', async (t) => {
    const s = await start(t);
    await grant(
      s.runner,
      runnerRights.filter((right) => right !== readSecrets),
    );
    await s.gitHook('app', { serviceAccountName: 'runner', usernameSecret, passwordSecret });
    await ready(s, 'True');
    const { status } = await s.untilRun(await s.push({ 'job.yaml': jobManifest }), ended, 'Failed');
    assert.equal(status?.reason, 'NoPermission');
    const { reason, message } = await ready(s, 'False');
    assert.equal(reason, 'NoPermission');
    assert.match(
      message,
      /^ServiceAccount "runner" may not read the Secret "git" in namespace .* Give it that permission/,
    );
    await grant(s.runner, [readSecrets]);
    assert.equal((await ready(s, 'True')).reason, 'Listening');
    assert.equal((await s.runs()).length, 1, 'without another push');
  });
});

describe('kube-git that acts as itself in its only namespace and may not', () => {
  it('names no tenant base, and nothing that is for all namespaces', async (t) => {
    const s = await start(t);
    const self = await createAccount({ namespace: s.namespace, name: 'kube-git' });
    await grant(self, [...controllerRights, readSecrets]);
    await s.kubeGit.stop();
    await s.restart({ kubeconfig: await kubeconfigOf(t, self) });
    await s.gitHook('app', { usernameSecret, passwordSecret });
    const { status } = await s.untilRun(await s.push({ 'job.yaml': jobManifest }), ended, 'Failed');
    assert.equal(status?.reason, 'NoPermission');
    assert.match(status?.message ?? '', /^ServiceAccount "kube-git" of namespace .* cannot create resource "jobs"/);
    assert.match(status?.message ?? '', /Give it that permission with a Role and a RoleBinding, then push again\.$/);
  });
});
