// kube-git with exactly the rights of the installation: it runs as its own ServiceAccount, from a push to its end in a
// namespace with the tenant base, and says which command is missing in one without. And nobody else writes runs.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Condition } from '../src/api/conditions.ts';
import type { GitHookRun } from '../src/api/githookrun.ts';
import { kubeconfigOf } from './env/accounts.ts';
import { ApiError, api, testCluster, testNamespace } from './env/cluster.ts';
import { type Installation, startInstallation } from './env/installation.ts';
import { jobManifest, type Scenario, startScenario } from './env/scenario.ts';
import { waitFor } from './env/wait.ts';

/** The whole file, on a machine with much else to do; it takes half a minute alone. */
const timeout = 400_000;
const skip = testCluster().controllers ? false : 'there is no controller manager';
const group = '/apis/kubegit.appspero.com/v1alpha1';
const self = { namespace: 'default', name: 'kube-git' };
const gitCredentials = { username: 'deploy', password: 'password-of-the-install-test' };

type Context = { after(fn: () => unknown): void };

describe('kube-git with the rights of the installation', { skip, timeout }, () => {
  let installation: Installation;
  const kubectl: Installation['kubectl'] = (...args) => installation.kubectl(...args);

  before(async () => {
    installation = await startInstallation();
    await kubectl(['apply', '-k', 'install']);
    await installation.startControllers();
    await untilRefused();
  });
  after(() => installation?.stop());

  /** kube-git as it is installed, for all namespaces, and a private repository. */
  async function start(t: Context): Promise<Scenario> {
    const args = ['-namespace=', '-default-service-account=kube-git-runner', '-allow-insecure-credentials'];
    const s = await startScenario(t, { kubeconfig: await kubeconfigOf(t, self), gitCredentials, args });
    await api('POST', `/api/v1/namespaces/${s.namespace}/secrets`, {
      metadata: { name: 'git' },
      stringData: gitCredentials,
    });
    return s;
  }
  const credentials = {
    usernameSecret: { name: 'git', key: 'username' },
    passwordSecret: { name: 'git', key: 'password' },
  };
  const ready = async (s: Scenario): Promise<Condition | undefined> =>
    (await s.readGitHook('app')).status?.conditions?.find(({ type }) => type === 'Ready');

  /** Applies what the message says, word by word. */
  async function follow(message = ''): Promise<void> {
    const [, command] = /(kubectl apply -k install\/tenant -n [a-z0-9-]+)/.exec(message) ?? [];
    assert.ok(command, message);
    await installation.shell(command);
  }

  it('says before the first push which command is missing, and is Ready soon after it', async (t) => {
    const s = await start(t);
    await s.gitHook('app', credentials);
    const condition = await ready(s);
    assert.deepEqual([condition?.status, condition?.reason], ['False', 'NoPermission']);
    assert.match(condition?.message ?? '', /cannot impersonate/);
    await follow(condition?.message);
    await waitFor(async () => (await ready(s))?.status === 'True', { what: 'Ready True', deadlineMs: 60_000 });

    const commit = await s.push({ 'job.yaml': jobManifest });
    const running = await s.untilRun(commit, ({ status }) => status?.phase === 'Running', 'Running');
    await s.endJob(running.status?.resource?.name ?? '', 'Succeeded');
    await s.untilRun(commit, ({ status }) => status?.phase === 'Succeeded' && status.handedBack === true, 'Succeeded');
    await waitFor(() => s.forge.statuses.some(({ state }) => state === 'success'), { what: 'the commit status' });

    const failing = await s.push({ 'job.yaml': jobManifest, again: 'x' });
    const second = await s.untilRun(failing, ({ status }) => status?.phase === 'Running', 'Running');
    await s.endJob(second.status?.resource?.name ?? '', 'Failed');
    await s.untilRun(failing, ({ status }) => status?.phase === 'Failed' && status.handedBack === true, 'Failed');
    assert.doesNotMatch(s.kubeGit.output(), /forbidden/i);
    await waitFor(async () => (await eventsIn(s.namespace)).includes('RunSucceeded'), { what: 'its Events' });
  });

  it('ends a push as NoPermission with the command where the tenant base is missing, and runs the next one after it', async (t) => {
    const s = await start(t);
    await s.gitHook('app', credentials);
    const refused = await s.push({ 'job.yaml': jobManifest });
    const { status } = await s.untilRun(refused, (run) => run.status?.completionTime !== undefined, 'ended');
    assert.deepEqual([status?.phase, status?.reason], ['Failed', 'NoPermission']);
    assert.deepEqual(await s.jobs(), []);
    await follow(status?.message);
    await waitFor(
      async () => {
        const commit = await s.push({ 'job.yaml': jobManifest, retry: String(Math.random()) });
        const run = await s.untilRun(commit, ({ status }) => status?.resource?.uid !== undefined, 'created');
        return run.status?.phase === 'Running';
      },
      { what: 'a push to run', deadlineMs: 60_000 },
    );
  });

  it('collects the runs and Jobs of a GitHook that is deleted, also in the foreground', async (t) => {
    const s = await start(t);
    await kubectl(['apply', '-k', 'install/tenant', '-n', s.namespace]);
    await s.gitHook('app', credentials);
    const commit = await s.push({ 'job.yaml': jobManifest });
    await s.untilRun(commit, ({ status }) => status?.phase === 'Running', 'Running');
    await kubectl(['delete', 'githook', 'app', '-n', s.namespace, '--cascade=foreground', '--timeout=60s']);
    assert.deepEqual(await s.runs(), []);
    await waitFor(async () => (await s.jobs()).length === 0, { what: 'the Job to go', deadlineMs: 60_000 });
  });

  it('leaves a namespace deletable', async (t) => {
    const s = await start(t);
    await kubectl(['apply', '-k', 'install/tenant', '-n', s.namespace]);
    await s.gitHook('app', credentials);
    const commit = await s.push({ 'job.yaml': jobManifest });
    await s.untilRun(commit, ({ status }) => status?.phase === 'Running', 'Running');
    await kubectl(['delete', 'namespace', s.namespace, '--timeout=90s']);
    // For the test's own end, which deletes it.
    await kubectl(['create', 'namespace', s.namespace]);
  });

  describe('lets nobody else', () => {
    for (const [who, flags] of [
      ['who may do everything in the namespace', ['--as=owner']],
      ['who administers the cluster', []],
    ] as const) {
      it(`create a run or write its status: ${who}`, async (t) => {
        const namespace = await testNamespace(t);
        await kubectl(['create', 'role', 'all', '--verb=*', '--resource=*.*', '-n', namespace]);
        await kubectl(['create', 'rolebinding', 'all', '--role=all', '--user=owner', '-n', namespace]);
        const path = `${group}/namespaces/${namespace}/githookruns`;
        const attempt = (script: string): Promise<unknown> =>
          installation.shell(`${script} -n ${namespace} ${flags.join(' ')}`);
        const forge = `cat <<'END' | kubectl create -f -`;
        const create = `${forge} -n ${namespace} ${flags.join(' ')}\n${JSON.stringify(forged)}\nEND\ntrue`;
        await assert.rejects(installation.shell(create), /GitHookRuns are the records of .*:default:kube-git/);
        await kubeGitCreates(path);
        await assert.rejects(
          attempt(
            `kubectl patch githookrun forged --subresource=status --type=merge -p '{"status":{"phase":"Failed"}}'`,
          ),
          /GitHookRuns are the records of .*:default:kube-git/,
        );
        await attempt('kubectl label githookrun forged team=a');
        await attempt('kubectl delete githookrun forged');
      });
    }
  });

  /** As kube-git's own account, which the policy must let through. */
  async function kubeGitCreates(path: string): Promise<void> {
    const [, namespace] = /namespaces\/([^/]+)/.exec(path) ?? [];
    const as = `--as=system:serviceaccount:${self.namespace}:${self.name}`;
    await installation.shell(`kubectl create -n ${namespace} ${as} -f - <<'END'\n${JSON.stringify(forged)}\nEND`);
    await installation.shell(
      `kubectl patch githookrun forged -n ${namespace} ${as} --subresource=status --type=merge -p '{}' || true`,
    );
  }
});

const time = '2026-11-22T12:00:00Z';
const commit = '2f5a8c0d9b1e4f7a6c3d2e1f0a9b8c7d6e5f4a3b';
/** A run as it would have to be to start a Job. */
const forged = {
  apiVersion: 'kubegit.appspero.com/v1alpha1',
  kind: 'GitHookRun',
  metadata: { name: 'forged' },
  spec: {
    gitHookRef: { name: 'app', uid: 'e7a5' },
    ...{ sequence: 1, source: 'Webhook', forge: 'github', receivedTime: time },
    ...{ repository: 'https://github.com/acme/app.git', manifest: 'ci/job.yaml' },
    ...{ ref: 'refs/heads/main', commit, after: commit },
  },
};

/** A policy counts from a moment after it was made. */
async function untilRefused(): Promise<void> {
  const path = `${group}/namespaces/default/githookruns?dryRun=All`;
  await waitFor(
    async () => {
      const error: unknown = await api<GitHookRun>('POST', path, forged).catch((thrown: unknown) => thrown);
      return error instanceof ApiError && error.status === 403;
    },
    { what: 'the policy to hold', deadlineMs: 60_000 },
  );
}

async function eventsIn(namespace: string): Promise<string[]> {
  const { items } = await api<{ items: { reason: string }[] }>('GET', `/api/v1/namespaces/${namespace}/events`);
  return items.map(({ reason }) => reason);
}
