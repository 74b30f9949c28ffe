// The API server in trouble on the way from a push to its end, and watches that show things twice, late or not at all:
// one Job, a status that never goes back, and the last word told.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GitHookRun } from '../../src/api/githookrun.ts';
import { createAccount, grant } from '../env/accounts.ts';
import { isJobCreate, jobsCreated, startApiProxy } from '../env/api-proxy.ts';
import { api } from '../env/cluster.ts';
import { type Fault, type FaultProxy, startProxy, times, when } from '../env/proxy.ts';
import { jobManifest, type Scenario, startScenario } from '../env/scenario.ts';
import { waitFor } from '../env/wait.ts';

const conflict: Fault = {
  kind: 'answer',
  status: 409,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ kind: 'Status', code: 409, reason: 'Conflict', message: 'the object has been modified' }),
};

const isRunStatus = /\/githookruns\/[^/]+\/status$/;

/** The phases that were written, in their order, without repeats. */
function phasesWritten(proxy: FaultProxy): readonly (string | undefined)[] {
  const writes = proxy.log.filter(({ method, path }) => method === 'PUT' && isRunStatus.test(path));
  const phases = writes.map(({ body }) => (JSON.parse(body) as GitHookRun).status?.phase);
  return phases.filter((phase, index) => phase !== phases[index - 1]);
}

/** From a push to the last word. */
async function runToTheEnd(s: Scenario, files: Readonly<Record<string, string>> = {}): Promise<GitHookRun> {
  const commit = await s.push({ 'job.yaml': jobManifest, ...files });
  const running = await s.untilRun(commit, ({ status }) => status?.phase === 'Running', 'Running');
  await s.endJob(running.status?.resource?.name ?? '', 'Succeeded');
  return s.untilRun(
    commit,
    ({ status }) =>
      status?.handedBack === true && (status.sinks ?? []).every(({ told }) => told === 'Succeeded') === true,
    'over and told',
  );
}

describe('an API server', () => {
  it('that cannot create while git is away too: the run stays Creating and runs once', async (t) => {
    const proxy = await startApiProxy(t);
    // What was read before is not kept by the git program.
    const s = await startScenario(t, { master: proxy.url, args: ['-fetch=git'] });
    const git = await startProxy({ target: new URL(s.forge.url) });
    t.after(() => git.close());
    await s.gitHook('app', { repository: `${git.url}/acme/app.git` });
    const mendApi = proxy.rule(when(isJobCreate, { kind: 'answer', status: 500 }));
    const commit = await s.push({ 'job.yaml': jobManifest });
    await s.untilRun(commit, ({ status }) => status?.phase === 'Creating', 'Creating');
    const mendGit = git.rule(when({ path: /\.git\// }, { kind: 'drop' }));
    await s.untilRun(commit, ({ status }) => status?.reason === 'RepositoryUnreachable', 'RepositoryUnreachable');

    mendApi();
    mendGit();
    await s.untilRun(commit, ({ status }) => status?.phase === 'Running', 'Running');
    assert.deepEqual(phasesWritten(proxy), ['Creating', 'Running']);
    assert.equal(jobsCreated(proxy), 1);
  });

  it('that answers every third write of a status with a conflict: the run ends all the same', async (t) => {
    const proxy = await startApiProxy(t);
    const s = await startScenario(t, { master: proxy.url });
    await s.gitHook('app');
    let writes = 0;
    proxy.rule(when({ method: 'PUT', path: isRunStatus }, () => (++writes % 3 === 1 ? conflict : undefined)));
    await runToTheEnd(s);
    assert.equal(jobsCreated(proxy), 1);
    assert.ok(writes > 3);
  });

  it('that has a conflict at the hand-over: the Job gets its own clean-up time back', async (t) => {
    const proxy = await startApiProxy(t);
    const s = await startScenario(t, { master: proxy.url });
    await s.gitHook('app');
    proxy.rule(when({ method: 'PATCH', path: /\/jobs\// }, times(2, conflict)));
    const manifest = jobManifest.replace('backoffLimit: 0', 'backoffLimit: 0\n  ttlSecondsAfterFinished: 3600');
    await runToTheEnd(s, { 'job.yaml': manifest });
    const ttls = (await s.jobs()).map(({ spec }) => (spec as Record<string, unknown>)['ttlSecondsAfterFinished']);
    assert.deepEqual(ttls, [3600]);
  });
});

it('a ServiceAccount that may create Jobs and not read them is enough to run one and to see it go', async (t) => {
  const proxy = await startApiProxy(t);
  const s = await startScenario(t, { master: proxy.url });
  const account = await createAccount({ namespace: s.namespace, name: 'runner' });
  await grant(account, [{ group: 'batch', resource: 'jobs', verbs: ['create'] }]);
  await s.gitHook('app', { serviceAccountName: 'runner' });
  proxy.rule(when(isJobCreate, times(1, { kind: 'dropAnswer' })));
  const commit = await s.push({ 'job.yaml': jobManifest });
  const running = await s.untilRun(commit, ({ status }) => status?.phase === 'Running', 'Running');
  const { name } = running.status?.resource ?? {};
  await api('DELETE', `/apis/batch/v1/namespaces/${s.namespace}/jobs/${name}?propagationPolicy=Background`);
  const { status } = await s.untilRun(commit, (run) => run.status?.phase === 'Failed', 'Failed');
  assert.equal(status?.reason, 'ResourceDeleted');
  assert.equal(jobsCreated(proxy), 1);
});

describe('watches', () => {
  it('that show everything twice and in the wrong order change nothing', async (t) => {
    const proxy = await startApiProxy(t);
    proxy.rule(({ query, path }) => {
      if (query.get('watch') === null || !/\/(?:githookruns|jobs)$/.test(path)) return undefined;
      let held: string[] = [];
      const line = (text: string): string[] => {
        held.push(text);
        if (held.length < 3) return [text, text];
        const late = held.toReversed();
        held = [];
        return [...late, text];
      };
      return { kind: 'lines', line };
    });
    const s = await startScenario(t, { master: proxy.url });
    await s.gitHook('app');
    await runToTheEnd(s, { README: '1' });
    await runToTheEnd(s, { README: '2' });
    assert.equal(jobsCreated(proxy), 2);
    assert.deepEqual(
      s.forge.statuses.map(({ state }) => state),
      ['pending', 'success', 'pending', 'success'],
    );
  });

  it('that no longer show a Job, because it lost its label: its end is seen', async (t) => {
    const proxy = await startApiProxy(t);
    const s = await startScenario(t, { master: proxy.url });
    await s.gitHook('app');
    const commit = await s.push({ 'job.yaml': jobManifest });
    const running = await s.untilRun(commit, ({ status }) => status?.phase === 'Running', 'Running');
    const name = running.status?.resource?.name ?? '';
    await makeReady(s, name);
    const labels = { 'kubegit.appspero.com/run': null };
    await api('PATCH', `/apis/batch/v1/namespaces/${s.namespace}/jobs/${name}`, { metadata: { labels } });
    // The first look comes of the lost label, the second may still come of the time when no pod was ready.
    const looks = (): number => proxy.log.filter((one) => one.method === 'GET' && one.path.endsWith(`/${name}`)).length;
    await waitFor(() => looks() >= 2, { what: 'kube-git to look by itself' });
    await s.endJob(name, 'Succeeded');
    await s.untilRun(commit, ({ status }) => status?.phase === 'Succeeded', 'Succeeded');
  });
});

/** A Job with a pod that is ready is not looked at for what its pods wait for. */
async function makeReady(s: Scenario, name: string): Promise<void> {
  const pods = `/api/v1/namespaces/${s.namespace}/pods`;
  const selector = encodeURIComponent(`batch.kubernetes.io/job-name=${name}`);
  const pod = await waitFor(
    async () => {
      const { items } = (await api('GET', `${pods}?labelSelector=${selector}`)) as { items: GitHookRun[] };
      return items[0];
    },
    { what: `a pod of Job ${name}` },
  );
  const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
  await api('PATCH', `${pods}/${pod.metadata.name}/status`, { status });
  const ready = async (): Promise<boolean> =>
    (await s.jobs()).some((job) => (job['status'] as { ready?: number } | undefined)?.ready === 1);
  await waitFor(ready, { what: 'the Job to count it' });
}
