// Objects that look like a run's own and are not, and texts chosen by whoever may push.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { api } from '../env/cluster.ts';
import { jobManifest, startScenario } from '../env/scenario.ts';
import { waitFor } from '../env/wait.ts';

const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'x', image: 'busybox' }] } };

describe('a stranger', () => {
  it("Job with a run's labels neither ends the run nor is told of", async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app');
    const commit = await s.push({ 'job.yaml': jobManifest });
    const run = await s.untilRun(commit, ({ status }) => status?.phase === 'Running', 'Running');
    const jobs = `/apis/batch/v1/namespaces/${s.namespace}/jobs`;
    const labels = { 'kubegit.appspero.com/run': run.metadata.name, 'kubegit.appspero.com/githook': 'app' };
    await api('POST', jobs, {
      ...{ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'stranger', labels } },
      spec: { template },
    });
    await s.endJob('stranger', 'Failed');
    await api('DELETE', `${jobs}/stranger?propagationPolicy=Background`);
    await waitFor(async () => (await s.jobs()).length === 1, { what: 'the stranger to go' });

    await s.endJob(run.status?.resource?.name ?? '', 'Succeeded');
    await s.untilRun(commit, ({ status }) => status?.phase === 'Succeeded', 'Succeeded');
    await waitFor(() => s.forge.statuses.length === 2, { what: 'the end to be told' });
    assert.deepEqual(
      s.forge.statuses.map(({ state }) => state),
      ['pending', 'success'],
    );
  });

  it('GitHook of the same name, made while the run of the old one goes on, starts anew', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app');
    const first = await s.push({ 'job.yaml': jobManifest });
    await s.untilRun(first, ({ status }) => status?.phase === 'Running', 'Running');
    await api('DELETE', `/apis/kubegit.appspero.com/v1alpha1/namespaces/${s.namespace}/githooks/app`);
    await s.gitHook('app');
    await waitFor(async () => (await s.runs()).length + (await s.jobs()).length === 0, {
      what: 'the run and its Job to go',
      deadlineMs: 30_000,
    });
    const second = await s.push({ 'job.yaml': jobManifest, README: '2' });
    await s.untilRun(second, ({ status }) => status?.phase === 'Running', 'Running');
    const status = await waitFor(
      async () => {
        const { status } = await s.readGitHook('app');
        return status?.lastCommit === second && status;
      },
      { what: 'the new GitHook to show its push' },
    );
    assert.equal(status.triggerCount, 1);
  });
});

describe('a branch called', () => {
  const branches = ['{{workflow.name}}', '$(id)', '`id`', 'a\'b"c', '<!channel>', '-x', '%2e%2e', '__proto__', 'ü'];
  it(`${branches.join(' ')} is only ever a text`, async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app');
    for (const branch of branches) {
      const commit = await s.push({ 'job.yaml': jobManifest, README: branch }, branch);
      const run = await s.untilRun(commit, ({ status }) => status?.phase === 'Running', `Running (${branch})`);
      assert.equal(run.spec.ref, `refs/heads/${branch}`);
      const job = (await s.jobs()).find(({ metadata }) => metadata.name === run.status?.resource?.name);
      assert.equal(job?.metadata.annotations?.['kubegit.appspero.com/branch'], `refs/heads/${branch}`);
      // The kubelet reads $$ as $.
      const variable = { name: 'KUBEGIT_BRANCH', value: branch.replaceAll('$', '$$$$') };
      assert.ok(JSON.stringify(job).includes(JSON.stringify(variable)), branch);
    }
    await waitFor(() => s.forge.messages.length === branches.length, { what: 'Slack to hear of all' });
    assert.doesNotMatch(JSON.stringify(s.forge.messages), /<!channel>/);
  });
});
