// A repository that cannot be reached is tried for an hour, which a restart does not begin anew.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GitHookRun } from '../../src/api/githookrun.ts';
import { api } from '../env/cluster.ts';
import { jobManifest, type Scenario, startScenario } from '../env/scenario.ts';
import { waitFor } from '../env/wait.ts';

const minuteMs = 60_000;

/** Has the run's first failure lie so far back, while kube-git is away. */
async function setBack(s: Scenario, run: GitHookRun, ms: number): Promise<void> {
  const lastTransitionTime = new Date(Date.now() - ms).toISOString().replace(/\.\d+/, '');
  const conditions = run.status?.conditions?.map((condition) => ({ ...condition, lastTransitionTime }));
  const path = `/apis/kubegit.appspero.com/v1alpha1/namespaces/${s.namespace}/githookruns/${run.metadata.name}/status`;
  await api('PATCH', path, { status: { conditions } });
}

describe('a repository that cannot be reached', () => {
  it('is given up an hour after the first attempt, over a restart, and that is told', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app', { repository: 'http://127.0.0.1:1/acme/app.git' });
    const commit = await s.push({ 'job.yaml': jobManifest });
    const pending = await s.untilRun(commit, ({ status }) => status?.phase === 'Pending', 'Pending');
    assert.equal(pending.status?.reason, 'RepositoryUnreachable');
    await s.kubeGit.stop();

    await setBack(s, pending, 58 * minuteMs);
    const again = await s.restart();
    const tried = () => again.lines.some(({ reason }) => reason === 'RepositoryUnreachable');
    await waitFor(tried, { what: 'another attempt' });
    const [waiting] = await s.runs();
    assert.equal(waiting?.status?.phase, 'Pending');
    assert.equal(s.forge.statuses.length, 0);
    await again.stop();

    await setBack(s, waiting, 61 * minuteMs);
    await s.restart();
    const ended = await s.untilRun(commit, ({ status }) => status?.phase === 'Failed', 'Failed');
    assert.equal(ended.status?.reason, 'FetchTimeout');
    assert.match(ended.status?.message ?? '', /^Gave up fetching job\.yaml after an hour: .*127\.0\.0\.1/);
    await waitFor(() => s.forge.statuses.length > 0 && s.forge.messages.length > 0, { what: 'the end to be told' });
    assert.equal(s.forge.statuses[0]?.state, 'error');
    assert.match(s.forge.statuses[0]?.description ?? '', /^Could not start: FetchTimeout: /);
  });
});
