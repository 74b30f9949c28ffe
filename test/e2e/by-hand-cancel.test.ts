// A run is cancelled by annotation, in each phase it can be in: nothing is created, or what was created is stopped; once, and
// never after the end. Pods do not run here, but the Job controller does, which ends a Job at its deadline.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GitHookRun } from '../../src/api/githookrun.ts';
import type { KubeObject } from '../../src/api/object.ts';
import { startApiProxy } from '../env/api-proxy.ts';
import { annotate, eventsAbout } from '../env/by-hand.ts';
import { api } from '../env/cluster.ts';
import { jobManifest, type Scenario, startScenario } from '../env/scenario.ts';
import { waitFor } from '../env/wait.ts';

const key = 'kubegit.appspero.com/cancel';
const isCancelled = ({ status }: GitHookRun): boolean => status?.phase === 'Failed' && status.reason === 'Cancelled';
const isRunning = ({ status }: GitHookRun): boolean => status?.phase === 'Running';

const cancel = (s: Scenario, run: GitHookRun, value = 'yes'): Promise<GitHookRun> =>
  annotate(s.namespace, 'githookruns', run.metadata.name, { [key]: value });

const states = (s: Scenario): string[] => s.forge.statuses.map(({ state }) => state);

/** Until both sinks have the word that counts, which is the last. */
async function untilTold(s: Scenario): Promise<void> {
  const titles = (): string[] =>
    s.forge.messages.map(({ body }) => (body as { attachments: { title: string }[] }).attachments[0]?.title ?? '');
  const isTold = (): boolean => states(s).at(-1) === 'error' && /^Cancelled/.test(titles().at(-1) ?? '');
  await waitFor(isTold, { what: 'the cancelling to be told', deadlineMs: 30_000 });
  assert.match(s.forge.statuses.at(-1)?.description ?? '', /^Cancelled: Asked for by hand/);
}

describe('a run that is cancelled', () => {
  it('while its Job runs has the Job stopped, which stays to be looked at, and is told as error', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app');
    const commit = await s.push({ 'job.yaml': jobManifest });
    const run = await s.untilRun(commit, isRunning, 'Running');
    await cancel(s, run);
    const ended = await s.untilRun(commit, isCancelled, 'cancelled');
    assert.match(ended.status?.message ?? '', /^Asked for by hand; the Job build-\w+ is stopped\.$/);
    assert.equal(ended.status?.conditions?.[0]?.status, 'False');
    const [job] = (await s.jobs()) as (KubeObject & { status: { conditions: { type: string; reason: string }[] } })[];
    assert.ok(job?.status.conditions.some(({ type, reason }) => type === 'Failed' && reason === 'DeadlineExceeded'));
    await untilTold(s);
    assert.deepEqual(states(s), ['pending', 'error']);
  });

  it('twice, and after that again, is cancelled once', async (t) => {
    const proxy = await startApiProxy(t);
    const s = await startScenario(t, { master: proxy.url });
    await s.gitHook('app');
    const commit = await s.push({ 'job.yaml': jobManifest });
    const run = await s.untilRun(commit, isRunning, 'Running');
    await cancel(s, run, 'one');
    await cancel(s, run, 'two');
    await s.untilRun(commit, isCancelled, 'cancelled');
    await untilTold(s);
    await cancel(s, run, 'three');
    const again = await s.push({ 'job.yaml': jobManifest, README: 'again' });
    await s.untilRun(again, isRunning, 'Running');
    await s.untilRun(commit, isCancelled, 'still cancelled');
    assert.deepEqual(await eventsAbout(s.namespace, run.metadata.name, 'CancelIgnored'), []);
    assert.equal(states(s).filter((state) => state === 'error').length, 1);
  });

  it('whose Job is suspended has it deleted', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app');
    const commit = await s.push({ 'job.yaml': jobManifest.replace('spec:\n', 'spec:\n  suspend: true\n') });
    const run = await s.untilRun(commit, ({ status }) => status?.reason === 'Suspended', 'suspended');
    await cancel(s, run);
    const ended = await s.untilRun(commit, isCancelled, 'cancelled');
    assert.match(ended.status?.message ?? '', /^Asked for by hand; the Job build-\w+ is stopped and gone\.$/);
    assert.deepEqual(await s.jobs(), []);
  });

  it('before anything could be fetched creates nothing, then or later', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app', { repository: `${s.sinks.github.url}/acme/app.git` });
    const gitIsBack = s.sinks.github.rule(({ path }) =>
      path.includes('.git/') ? { kind: 'answer', status: 503 } : undefined,
    );
    const commit = await s.push({ 'job.yaml': jobManifest });
    const run = await s.untilRun(commit, ({ status }) => status?.phase === 'Pending', 'Pending');
    await cancel(s, run);
    const ended = await s.untilRun(commit, isCancelled, 'cancelled');
    assert.equal(ended.status?.message, 'Asked for by hand, before anything was created.');
    gitIsBack();
    await untilTold(s);
    assert.deepEqual(states(s), ['error']);
    assert.deepEqual(await s.jobs(), []);
    const isReady = async (): Promise<boolean> =>
      (await s.readGitHook('app')).status?.conditions?.some(
        ({ type, status }) => type === 'Ready' && status === 'True',
      ) ?? false;
    await waitFor(isReady, { what: 'the GitHook not to be blamed' });
  });

  it('while kube-git is away is cancelled when it is back', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app');
    const commit = await s.push({ 'job.yaml': jobManifest });
    const run = await s.untilRun(commit, isRunning, 'Running');
    await s.kubeGit.kill();
    await cancel(s, run);
    await s.restart();
    await s.untilRun(commit, isCancelled, 'cancelled');
    await untilTold(s);
  });

  it('after its end is not changed, and an Event says so once, also after a restart', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app');
    const commit = await s.push({ 'job.yaml': jobManifest });
    const running = await s.untilRun(commit, isRunning, 'Running');
    await s.endJob(running.status?.resource?.name ?? '', 'Succeeded');
    const run = await s.untilRun(commit, ({ status }) => status?.handedBack === true, 'over');
    await cancel(s, run);
    const events = () => eventsAbout(s.namespace, run.metadata.name, 'CancelIgnored');
    const [event] = await waitFor(async () => ((await events()).length > 0 ? events() : undefined), {
      what: 'the Event',
    });
    assert.match(event?.message ?? '', /cancel changes nothing: the run had ended before, Succeeded\/Completed/);
    const kept = await s.untilRun(commit, ({ status }) => status?.handledCancel === 'yes', 'answered');
    assert.equal(kept.status?.phase, 'Succeeded');
    await s.kubeGit.kill();
    await s.restart();
    const next = await s.push({ 'job.yaml': jobManifest, README: 'next' });
    await s.untilRun(next, isRunning, 'Running');
    assert.deepEqual(
      (await events()).map(({ count }) => count),
      [1],
    );
  });

  it('by an account that may not stop its Job says so, and is cancelled when it may', async (t) => {
    const proxy = await startApiProxy(t);
    const s = await startScenario(t, { master: proxy.url });
    await s.gitHook('app');
    const commit = await s.push({ 'job.yaml': jobManifest });
    const run = await s.untilRun(commit, isRunning, 'Running');
    const body = JSON.stringify({
      kind: 'Status',
      apiVersion: 'v1',
      status: 'Failure',
      code: 403,
      reason: 'Forbidden',
      message: 'jobs.batch "x" is forbidden: not on Fridays',
    });
    const may = proxy.rule(({ method, path }) =>
      method === 'PATCH' && path.includes('/jobs/') ? { kind: 'answer', status: 403, body } : undefined,
    );
    await cancel(s, run);
    const refused = await s.untilRun(commit, ({ status }) => status?.reason === 'CancelRefused', 'refused');
    assert.match(
      refused.status?.message ?? '',
      /^The cluster refuses to stop the Job build-\w+: .*not on Fridays\. It is tried again\.$/,
    );
    may();
    await s.untilRun(commit, isCancelled, 'cancelled');
  });
});

describe('a run that is cancelled with a crash in between', () => {
  for (const [what, isVictim] of [
    ['the Job is created and nobody knows', ({ method, path }) => method === 'POST' && path.endsWith('/jobs')],
    ['the Job is stopped and nobody knows', ({ method, path }) => method === 'PATCH' && path.includes('/jobs/')],
  ] as const satisfies readonly (readonly [string, (request: { method: string; path: string }) => boolean])[]) {
    it(`is cancelled in the end, with one Job ever: ${what}`, async (t) => {
      const proxy = await startApiProxy(t);
      const s = await startScenario(t, { master: proxy.url });
      await s.gitHook('app');
      let killed: Promise<void> | undefined;
      proxy.rule((request) => {
        if (killed !== undefined || !isVictim(request)) return undefined;
        killed = s.kubeGit.kill();
        return { kind: 'dropAnswer' };
      });
      const commit = await s.push({ 'job.yaml': jobManifest });
      const run = await s.untilRun(commit, ({ status }) => status?.resource !== undefined, 'about to create');
      if (!what.includes('created')) await s.untilRun(commit, isRunning, 'Running');
      await cancel(s, run);
      await waitFor(() => killed !== undefined, { what: 'the crash', deadlineMs: 30_000 });
      await killed;
      await waitFor(async () => (await s.jobs()).length === 1, { what: 'the Job to be there' });
      await s.restart();
      await s.untilRun(commit, isCancelled, 'cancelled');
      await untilTold(s);
      const made = proxy.log.filter(
        ({ method, path, status }) => method === 'POST' && path.endsWith('/jobs') && status === 201,
      );
      assert.equal(made.length, 1);
      const path = `/apis/batch/v1/namespaces/${s.namespace}/jobs`;
      const { items } = await api<{ items: { spec: { activeDeadlineSeconds?: number } }[] }>('GET', path);
      assert.deepEqual(
        items.map(({ spec }) => spec.activeDeadlineSeconds),
        [1],
      );
    });
  }
});
