// Several replicas: all take deliveries, one advances runs; whichever is killed, stopped or replaced, nothing is lost and
// nothing done twice.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { GitHookRun } from '../../src/api/githookrun.ts';
import { isJobCreate, jobsCreated } from '../env/api-proxy.ts';
import { type FaultProxy, startProxy } from '../env/proxy.ts';
import { type Replica, type Replicas, startReplicas } from '../env/replicas.ts';
import { jobManifest, type Scenario, startScenario } from '../env/scenario.ts';
import { waitFor } from '../env/wait.ts';

interface Ground extends Scenario {
  readonly replicas: Replicas;
  readonly all: readonly Replica[];
  /** The way to the forge's git. */
  readonly git: FaultProxy;
}

async function startGround(t: TestContext, count: number, leaseSeconds = 3): Promise<Ground> {
  const scenario = await startScenario(t, { env: { POD_NAME: 'the-first' } });
  const git = await startProxy({ target: new URL(scenario.forge.url) });
  t.after(() => git.close());
  await scenario.gitHook('app', { repository: `${git.url}/acme/app.git` });
  const replicas = await startReplicas(t, scenario, { leaseSeconds });
  const all: Replica[] = [];
  for (let number = 1; number <= count; number++) all.push(await replicas.start(`replica-${number}`));
  await scenario.forge.addWebhook(`${replicas.url}/github`);
  return { ...scenario, replicas, all, git };
}

const phaseIs =
  (wanted: string) =>
  ({ status }: GitHookRun): boolean =>
    status?.phase === wanted;

/** Ends the run's Job, and waits until everybody has been told. */
async function finish(s: Ground, commit: string): Promise<void> {
  const { status } = await s.untilRun(commit, phaseIs('Running'), 'Running');
  await s.endJob(status?.resource?.name ?? '', 'Succeeded');
  const isTold = ({ status: now }: GitHookRun): boolean =>
    now?.sinks?.every(({ told }) => told === 'Succeeded') === true && now.handedBack === true;
  await waitFor(async () => (await s.runs()).some((run) => run.spec.commit === commit && isTold(run)), {
    what: `the last word on ${commit}`,
    deadlineMs: 60_000,
  });
}

function statesOf(s: Ground, commit: string): readonly string[] {
  return s.forge.statuses.filter(({ sha }) => sha === commit).map(({ state }) => state);
}

function jobsEver(s: Ground): number {
  return s.all.reduce((sum, { apiProxy }) => sum + jobsCreated(apiProxy), 0);
}

/** What it changed in the API server since then, its Lease and Events apart. */
function changesSince({ log }: FaultProxy, from: number): readonly string[] {
  const isChange = ({ method, path, status }: FaultProxy['log'][number]): boolean =>
    method !== 'GET' && (status ?? 500) < 300 && !/\/(leases|events)\b/.test(path);
  return log
    .slice(from)
    .filter(isChange)
    .map(({ method, path }) => `${method} ${path}`);
}

describe('replicas', () => {
  it('all take deliveries, and one advances the runs', async (t) => {
    const s = await startGround(t, 3);
    const leader = await s.replicas.leader(s.all);
    const commit = await s.push({ 'job.yaml': jobManifest });
    await finish(s, commit);
    for (const replica of s.all) {
      const creates = replica.apiProxy.log.filter(isJobCreate).length;
      assert.equal(creates, replica === leader ? 1 : 0, replica.name);
    }
  });

  it('make one run of 99 copies of a delivery that come to all of them at once', async (t) => {
    const s = await startGround(t, 3);
    const commit = await s.push({ 'job.yaml': jobManifest });
    await s.untilRun(commit, phaseIs('Running'), 'Running');
    const id = s.forge.deliveries.at(-1)?.id ?? '';
    const sent = await Promise.all(Array.from({ length: 99 }, () => s.forge.redeliver(id)));
    assert.deepEqual(new Set(sent.map(({ answer }) => answer?.status)), new Set([202]));
    assert.equal((await s.runs()).length, 1);
    await finish(s, commit);
    assert.equal(jobsEver(s), 1);
  });

  it('go on within 20 s after the leader was killed, with the Lease as it is by default', async (t) => {
    const s = await startGround(t, 2, 15);
    const leader = await s.replicas.leader(s.all);
    const [other] = s.all.filter((replica) => replica !== leader);
    const commit = await s.push({ 'job.yaml': jobManifest });
    await s.untilRun(commit, phaseIs('Running'), 'Running');
    await leader.kubeGit.kill();
    const killed = performance.now();
    await waitFor(() => other?.leads(), { what: 'the other one to lead', deadlineMs: 60_000 });
    const waitedMs = performance.now() - killed;
    assert.ok(waitedMs < 20_000, `${waitedMs} ms`);
    await finish(s, commit);
    assert.deepEqual([jobsEver(s), statesOf(s, commit).at(-1)], [1, 'success']);
  });

  it('go on at once after the leader was stopped', async (t) => {
    const s = await startGround(t, 2, 15);
    const leader = await s.replicas.leader(s.all);
    const [other] = s.all.filter((replica) => replica !== leader);
    assert.equal(await leader.kubeGit.stop(), 0);
    const stopped = performance.now();
    await waitFor(() => other?.leads(), { what: 'the other one to lead', deadlineMs: 60_000 });
    // It looks every 2 to 2.4 s.
    assert.ok(performance.now() - stopped < 5_000, `${performance.now() - stopped} ms`);
  });
});

describe('a leader that is stopped for longer than its Lease, in the middle of a run, and goes on', () => {
  const moments: readonly [string, (path: string, method: string) => boolean][] = [
    ['before it fetches the manifest', (path) => path.includes('.git/')],
    ['before it creates the Job', (path, method) => method === 'POST' && path.endsWith('/jobs')],
    ['before it tells the forge', (path, method) => method === 'POST' && path.includes('/statuses/')],
  ];
  for (const [when, isMoment] of moments) {
    it(`does no harm when that was ${when}`, async (t) => {
      const s = await startGround(t, 2);
      const leader = await s.replicas.leader(s.all);
      const [other] = s.all.filter((replica) => replica !== leader);
      assert.ok(other);
      const stopped = Promise.withResolvers<void>();
      let isStopped = false;
      const stop = (request: { path: string; method: string }) => {
        if (isStopped || !isMoment(request.path, request.method)) return undefined;
        isStopped = true;
        process.kill(leader.kubeGit.pid, 'SIGSTOP');
        stopped.resolve();
        return { kind: 'drop' as const };
      };
      for (const proxy of [leader.apiProxy, s.sinks.github, s.git]) proxy.rule(stop);
      const commit = await s.push({ 'job.yaml': jobManifest });
      await stopped.promise;
      await waitFor(() => other.leads(), { what: 'the other one to lead', deadlineMs: 60_000 });
      await finish(s, commit);
      const from = leader.apiProxy.log.length;
      process.kill(leader.kubeGit.pid, 'SIGCONT');
      await waitFor(() => !leader.leads(), { what: 'the old leader to see that it is none', deadlineMs: 30_000 });
      await finish(s, await s.push({ 'job.yaml': jobManifest, README: 'next' }));
      assert.deepEqual(
        changesSince(leader.apiProxy, from).filter((change) => !/^POST .*githookruns$/.test(change)),
        [],
      );
      assert.deepEqual([jobsEver(s), statesOf(s, commit).at(-1)], [2, 'success']);
    });
  }
});

describe('a rolling update', () => {
  it('refuses no delivery, loses none and doubles none', async (t) => {
    const s = await startGround(t, 2);
    const commits: string[] = [];
    let over = false;
    const pushing = (async () => {
      while (!over) commits.push(await s.push({ 'job.yaml': jobManifest, README: `${commits.length}` }));
    })();
    for (const old of s.all) {
      await s.replicas.start(`new-${old.name}`);
      assert.equal(await old.kubeGit.stop('SIGTERM'), 0);
    }
    over = true;
    await pushing;
    assert.ok(commits.length >= 5, `${commits.length} pushes`);
    const pushes = s.forge.deliveries.filter(
      ({ request, event }) => request.url.startsWith(s.replicas.url) && event === 'push',
    );
    assert.deepEqual(new Set(pushes.map(({ answer }) => answer?.status)), new Set([202]));
    const runs = (await s.runs()).map(({ spec }) => spec.commit);
    assert.deepEqual(runs.sort(), [...commits].sort());
  });
});
