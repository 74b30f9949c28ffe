// The history limits at work: runs made by kube-git as a user runs it, and, eight days later, its controller with another clock.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Clock, systemClock } from '../../src/clock.ts';
import { Replica } from '../../src/controller/replica.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { unopposed } from '../../src/kube/election.ts';
import { loadKubeConfig } from '../../src/kube/kubeconfig.ts';
import { createRecorder } from '../../src/kube/recorder.ts';
import { createLog } from '../../src/log.ts';
import { createMetrics } from '../../src/metrics.ts';
import { testCluster } from '../env/cluster.ts';
import { jobManifest, type Scenario, startScenario } from '../env/scenario.ts';
import { waitFor } from '../env/wait.ts';

const dayMs = 24 * 3_600_000;

const nothingHere = () => Promise.reject(new Error('nothing is fetched here'));

/** The controller of a kube-git that fetches and tells nothing, at a time so far ahead. */
async function startController(t: { after(fn: () => unknown): void }, s: Scenario, aheadMs: number): Promise<void> {
  const clock: Clock = { ...systemClock, now: () => Date.now() + aheadMs };
  const log = createLog('error', () => []);
  const metrics = createMetrics();
  const { kubeconfig } = testCluster();
  const { server, credentials } = await loadKubeConfig({ kubeconfig, master: '', context: '', env: {}, clock });
  const client = new KubeClient({ server, credentials, version: '0-test', clock });
  const recorder = createRecorder({ kube: client, clock, log });
  const replica = new Replica({
    ...{ client, clock, log, metrics, recorder, election: unopposed, namespace: s.namespace },
    ...{ defaultServiceAccount: '', statusContext: '', tenantBase: '' },
    ...{
      manifests: { read: nothingHere },
      refs: { list: nothingHere, describe: nothingHere, defaultBranch: nothingHere },
    },
    ...{ record: nothingHere, parseLogged: () => undefined, poll: { intervalMs: 0, settleMs: 0 } },
    notifications: { find: () => undefined, names: () => [], problem: () => undefined },
  });
  const stop = new AbortController();
  const running = replica.run(stop.signal);
  t.after(async () => {
    stop.abort();
    await running;
    await recorder.stop();
    client.close();
  });
}

describe('runs of more than a week ago', () => {
  it('go beyond the limits, with their Jobs, and are still counted', async (t) => {
    const s = await startScenario(t);
    const limits = { successfulRunsHistoryLimit: 1, failedRunsHistoryLimit: 0 };
    await s.gitHook('app', { ...limits, notification: { slack: 'team' } });
    const push = async (phase: 'Succeeded' | 'Failed', content: string): Promise<string> => {
      const commit = await s.push({ 'job.yaml': jobManifest, content });
      const run = await s.untilRun(commit, ({ status }) => status?.phase === 'Running', 'Running');
      await s.endJob(run.status?.resource?.name ?? '', phase);
      await s.untilRun(
        commit,
        ({ status }) => status?.handedBack === true && status.sinks?.[0]?.told === phase,
        'told',
      );
      return commit;
    };
    const commits = [await push('Succeeded', '1'), await push('Failed', '2'), await push('Succeeded', '3')];
    const counts = async () => {
      const { triggerCount, prunedRuns, pruning } = (await s.readGitHook('app')).status ?? {};
      return [triggerCount, prunedRuns, pruning?.length ?? 0];
    };
    await waitFor(async () => (await counts())[0] === 3, { what: 'all to be counted' });
    await s.kubeGit.stop();

    await startController(t, s, 8 * dayMs);
    await waitFor(async () => (await counts()).join() === '3,2,0', { what: 'two to be pruned', deadlineMs: 30_000 });
    assert.deepEqual(
      (await s.runs()).map(({ spec }) => spec.commit),
      commits.slice(2),
    );
    await waitFor(async () => (await s.jobs()).length === 1, { what: 'their Jobs to go', deadlineMs: 30_000 });
    assert.equal((await s.readGitHook('app')).status?.lastCommit, commits[2]);
  });
});
