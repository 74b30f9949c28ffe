// What is wrong with one GitHook, manifest, run or git server ends there: it neither goes on for ever nor stops others.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GitHook } from '../../src/api/githook.ts';
import type { GitHookRunStatus } from '../../src/api/githookrun.ts';
import { isJobCreate, startApiProxy } from '../env/api-proxy.ts';
import { api } from '../env/cluster.ts';
import { type Fault, type FaultProxy, startProxy, times, when } from '../env/proxy.ts';
import { jobManifest, type Scenario, startScenario } from '../env/scenario.ts';
import { waitFor } from '../env/wait.ts';

type Context = { after(fn: () => unknown): void };

/** The forge's git under another address, which does this to every fetch. */
async function startBadGit(t: Context, s: Scenario, fault: Fault): Promise<FaultProxy> {
  const git = await startProxy({ target: new URL(s.forge.url), rules: [when({ path: /\.git\// }, fault)] });
  t.after(() => git.close());
  return git;
}

describe('a git server', () => {
  for (const retryAfter of ['0', '2592000', '99999999999999999999']) {
    it(`that asks to come back after ${retryAfter} s is left alone meanwhile`, async (t) => {
      const s = await startScenario(t);
      const git = await startBadGit(t, s, { kind: 'answer', status: 503, headers: { 'retry-after': retryAfter } });
      await s.gitHook('bad', { repository: `${git.url}/acme/app.git`, branches: ['bad'] });
      await s.gitHook('good', { branches: ['good'] });
      const bad = await s.push({ 'job.yaml': jobManifest }, 'bad');
      await s.untilRun(bad, ({ status }) => status?.phase === 'Pending', 'Pending');

      const good = await s.push({ 'job.yaml': jobManifest, README: 'good' }, 'good');
      const running = await s.untilRun(good, ({ status }) => status?.phase === 'Running', 'Running');
      await s.endJob(running.status?.resource?.name ?? '', 'Succeeded');
      await s.untilRun(good, ({ status }) => status?.phase === 'Succeeded', 'Succeeded');
      // With back-off from half a second: 6 in 31 s.
      assert.ok(git.log.length <= 6, `${git.log.length} requests`);
    });
  }

  it('that hangs does not hold up the pushes of others', async (t) => {
    const s = await startScenario(t);
    const git = await startBadGit(t, s, { kind: 'hold', until: new Promise(() => {}) });
    await s.gitHook('bad', { repository: `${git.url}/acme/app.git`, branches: ['bad*'] });
    await s.gitHook('good', { branches: ['good'] });
    // More than kube-git has workers.
    for (let n = 1; n <= 20; n++) await s.push({ 'job.yaml': jobManifest, README: `${n}` }, `bad-${n}`);

    const good = await s.push({ 'job.yaml': jobManifest, README: 'good' }, 'good');
    const running = async (): Promise<boolean> =>
      (await s.runs()).some(({ spec, status }) => spec.commit === good && status?.phase === 'Running');
    // A fetch that hangs is given up after ten seconds, and the twenty are five rounds of them.
    await waitFor(running, { what: 'the good push to run', deadlineMs: 9_000 });
  });
});

it('a program that is missing is said on the run, and tried again', async (t) => {
  const s = await startScenario(t, { env: { PATH: '/nowhere' }, args: ['-fetch=git'] });
  await s.gitHook('app');
  const commit = await s.push({ 'job.yaml': jobManifest });
  const { status } = await s.untilRun(commit, (run) => run.status?.phase === 'Pending', 'Pending');
  assert.equal(status?.reason, 'FetchFailed');
  assert.match(status?.message ?? '', /git/);
});

describe('a name that no object can have', () => {
  const cases: readonly [string, Partial<GitHook['spec']>, string][] = [
    ['of a ServiceAccount', { serviceAccountName: 'Not A Name' }, 'NoPermission'],
    ['of a Secret', { passwordSecret: { name: 'a/b', key: 'password' } }, 'SecretNotFound'],
  ];
  for (const [what, spec, reason] of cases) {
    it(`${what} ends the run with ${reason}`, async (t) => {
      const s = await startScenario(t);
      await s.gitHook('app', spec);
      const commit = await s.push({ 'job.yaml': jobManifest });
      const { status } = await s.untilRun(commit, (run) => run.status?.phase === 'Failed', 'Failed');
      assert.equal(status?.reason, reason);
    });
  }

  it('in a manifest ends the run, also when the first attempt to create got no answer', async (t) => {
    const proxy = await startApiProxy(t);
    proxy.rule(when(isJobCreate, times(1, { kind: 'drop' })));
    const s = await startScenario(t, { master: proxy.url });
    await s.gitHook('app');
    const commit = await s.push({ 'job.yaml': jobManifest.replace('name: build\nspec', 'name: ../build\nspec') });
    const { status } = await s.untilRun(commit, (run) => run.status?.phase === 'Failed', 'Failed');
    assert.equal(status?.reason, 'ManifestRefused');
  });
});

describe('a run that kube-git would not write', () => {
  const job = { apiVersion: 'batch/v1', kind: 'Job' };
  const statuses: Readonly<Record<string, GitHookRunStatus>> = {
    'ended-of-unknown-kind': { phase: 'Failed', resource: { apiVersion: 'x/v1', kind: 'X', name: 'x', uid: 'u' } },
    'running-of-unknown-kind': { phase: 'Running', resource: { apiVersion: 'x/v1', kind: 'X', name: 'x', uid: 'u' } },
    'running-path': { phase: 'Running', resource: { ...job, name: '../x', uid: 'u' } },
    'creating-path': { phase: 'Creating', resource: { ...job, name: 'a/b' } },
    'sink-of-next-millennium': {
      phase: 'Failed',
      sinks: [
        { type: 'slack', name: 'team', desired: 'Error', lastError: 'x', nextAttemptTime: '2999-01-01T00:00:00Z' },
      ],
    },
    'sink-of-unknown-type': { phase: 'Failed', sinks: [{ type: 'a b', name: 'c d', desired: 'Started' }] },
  };

  async function createRun(s: Scenario, gitHook: GitHook, name: string, status: GitHookRunStatus): Promise<void> {
    const path = `/apis/kubegit.appspero.com/v1alpha1/namespaces/${s.namespace}/githookruns`;
    const { uid } = gitHook.metadata;
    await api('POST', path, {
      ...{ apiVersion: 'kubegit.appspero.com/v1alpha1', kind: 'GitHookRun', metadata: { name } },
      spec: {
        gitHookRef: { name: 'app', uid },
        ...{
          sequence: 1,
          source: 'Manual',
          forge: '',
          repository: 'x',
          manifest: '..',
          ref: '',
          commit: '',
          after: '',
        },
        receivedTime: new Date().toISOString(),
      },
    });
    await api('PATCH', `${path}/${name}/status`, { status });
  }

  it('comes to an end without being asked about again and again', async (t) => {
    const s = await startScenario(t);
    const gitHook = await s.gitHook('app');
    await s.kubeGit.stop();
    for (const [name, status] of Object.entries(statuses)) await createRun(s, gitHook, name, status);
    const kubeGit = await s.restart();

    const isOver = ({ phase, resource, handedBack }: GitHookRunStatus = {}): boolean =>
      phase === 'Failed' && (resource?.uid === undefined || handedBack === true);
    await waitFor(async () => (await s.runs()).every(({ status }) => isOver(status)), { what: 'the runs to be over' });

    const commit = await s.push({ 'job.yaml': jobManifest });
    await s.untilRun(commit, ({ status }) => status?.phase === 'Running', 'Running');
    const ready = async (): Promise<string | undefined> =>
      (await s.readGitHook('app')).status?.lastTrigger ?? undefined;
    await waitFor(ready, { what: 'the GitHook to show the push' });
    assert.doesNotMatch(kubeGit.output(), /reconcile failed|TimeoutOverflowWarning/);
  });
});
