// Runs that are deleted while somebody still waits for their end: the forge must not be left with a pending status for ever.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GitHookRun } from '../../src/api/githookrun.ts';
import { api } from '../env/cluster.ts';
import type { Fault } from '../env/proxy.ts';
import { jobManifest, type Scenario, startScenario } from '../env/scenario.ts';
import { waitFor } from '../env/wait.ts';

const group = '/apis/kubegit.appspero.com/v1alpha1';
const unavailable: Fault = { kind: 'answer', status: 503, body: 'away' };

const nameOf = (run: GitHookRun): string => run.metadata.name ?? '';
const states = (s: Scenario): readonly string[] => s.forge.statuses.map(({ state }) => state);
const titles = (s: Scenario): readonly string[] =>
  s.forge.messages.map(({ body }) => (body as { attachments: { title: string }[] }).attachments[0]?.title ?? '');

const remove = (s: Scenario, plural: string, name: string): Promise<unknown> =>
  api('DELETE', `${group}/namespaces/${s.namespace}/${plural}/${name}`);

/** Pushes, and waits until both sinks have heard of the start. */
async function startRun(s: Scenario): Promise<GitHookRun> {
  const commit = await s.push({ 'job.yaml': jobManifest });
  const started = ({ status }: GitHookRun): boolean => status?.sinks?.every(({ told }) => told === 'Started') ?? false;
  return s.untilRun(commit, (run) => run.status?.phase === 'Running' && started(run), 'started and told');
}

/** The run of this ref, as soon as it satisfies the condition. */
function untilRef(s: Scenario, ref: string, condition: (run: GitHookRun) => boolean): Promise<GitHookRun> {
  const find = async () => (await s.runs()).find((run) => run.spec.ref === ref && condition(run));
  return waitFor(find, { what: `the run of ${ref}; ${s.kubeGit.output().slice(-1000)}`, deadlineMs: 30_000 });
}

describe('a run that is deleted before its end', () => {
  it('is told as an error that says Cancelled, and so is it on the GitHook', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app');
    const run = await startRun(s);
    await remove(s, 'githookruns', nameOf(run));
    await waitFor(() => states(s).length >= 2 && titles(s).length >= 2, { what: 'the end to be told' });
    assert.deepEqual(states(s), ['pending', 'error']);
    const description = 'Cancelled: The run was deleted before it ended.';
    assert.equal(s.forge.statuses[1]?.description, description);
    assert.equal(titles(s)[1], 'Cancelled :x:');
    const events = `/api/v1/namespaces/${s.namespace}/events?fieldSelector=involvedObject.name=app,reason=RunFailed`;
    await waitFor(async () => (await api<{ items: unknown[] }>('GET', events)).items.length === 1, {
      what: 'the Event',
    });
  });

  it('is told so when its GitHook is deleted', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app');
    await startRun(s);
    await remove(s, 'githooks', 'app');
    await waitFor(() => states(s).length >= 2 && titles(s).length >= 2, { what: 'the end', deadlineMs: 60_000 });
    assert.deepEqual(states(s), ['pending', 'error']);
    assert.match(s.forge.statuses[1]?.description ?? '', /^Cancelled: The GitHook "app" was deleted before/);
  });

  it('is told so although nothing was created yet', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app', { repository: 'http://127.0.0.1:1/acme/app.git' });
    const commit = await s.push({ 'job.yaml': jobManifest });
    const run = await s.untilRun(commit, ({ status }) => status?.phase === 'Pending', 'Pending');
    await remove(s, 'githookruns', nameOf(run));
    await waitFor(() => states(s).length >= 1 && titles(s).length >= 1, { what: 'the end to be told' });
    assert.deepEqual([states(s), titles(s)], [['error'], ['Cancelled :x:']]);
  });

  it('is told so once a sink that was away is back', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app');
    const run = await startRun(s);
    let away = true;
    s.sinks.github.rule(() => (away ? unavailable : undefined));
    await remove(s, 'githookruns', nameOf(run));
    await waitFor(() => s.sinks.github.log.length >= 3, { what: 'the forge to be tried twice', deadlineMs: 20_000 });
    assert.deepEqual(titles(s)[1], 'Cancelled :x:');
    away = false;
    await waitFor(() => states(s).length >= 2, { what: 'the forge to hear it', deadlineMs: 20_000 });
    assert.deepEqual(states(s), ['pending', 'error']);
    assert.equal(titles(s).length, 2);
  });
});

describe('a run that is deleted after its end, which a sink has not heard of', () => {
  it('is told to it as it ended', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app');
    const run = await startRun(s);
    let away = true;
    s.sinks.github.rule(() => (away ? unavailable : undefined));
    await s.endJob(run.status?.resource?.name ?? '', 'Succeeded');
    await s.untilRun(run.spec.commit, ({ status }) => status?.sinks?.[0]?.lastError !== undefined, 'untold');
    await remove(s, 'githookruns', nameOf(run));
    await waitFor(async () => (await s.runs()).length === 0, { what: 'the run to be gone' });
    away = false;
    await waitFor(() => states(s).length >= 2, { what: 'the forge to hear it', deadlineMs: 20_000 });
    assert.deepEqual(states(s), ['pending', 'success']);
  });
});

describe('two runs of one commit', () => {
  for (const end of ['Succeeded', undefined] as const) {
    it(`leave the word to the older one, which ${end ? 'has succeeded' : 'goes on'}, when the newer is deleted`, async (t) => {
      const s = await startScenario(t);
      await s.gitHook('app');
      const older = await startRun(s);
      const second = Date.parse(older.metadata.creationTimestamp ?? '') + 1000;
      await waitFor(() => Date.now() >= second, { what: 'the next second' });
      const other = { repository: s.repository.name, ref: 'refs/heads/other', before: '0'.repeat(40) };
      await s.repository.forcePush('other', older.spec.commit);
      await s.forge.announce({ ...other, after: older.spec.commit });
      const newer = await untilRef(s, other.ref, ({ status }) => status?.sinks?.[0]?.told === 'Started');
      if (end) {
        await s.endJob(older.status?.resource?.name ?? '', end);
        await untilRef(s, older.spec.ref, ({ status }) => status?.sinks?.[0]?.desired === 'Superseded');
      }
      await remove(s, 'githookruns', nameOf(newer));
      const word = end ? 'success' : 'pending';
      await waitFor(() => states(s).length >= 3, { what: 'the older one to speak' });
      assert.deepEqual(states(s), ['pending', 'pending', word]);
      await untilRef(s, older.spec.ref, ({ status }) => status?.sinks?.[0]?.told === (end ?? 'Started'));
      await waitFor(() => titles(s).includes('Cancelled :x:'), { what: 'the channel to hear of the deleted one' });
    });
  }
});

describe('a namespace that is deleted in mid-run', () => {
  it('has its runs told, and is left in peace', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app');
    await startRun(s);
    await api('DELETE', `/api/v1/namespaces/${s.namespace}`);
    await waitFor(() => states(s).length >= 2, { what: 'the end to be told', deadlineMs: 30_000 });
    assert.ok(['error', 'failure'].includes(states(s)[1] ?? ''));
    const gone = async (): Promise<boolean> =>
      api('GET', `/api/v1/namespaces/${s.namespace}`).then(
        () => false,
        () => true,
      );
    await waitFor(gone, { what: 'the namespace to be gone', deadlineMs: 60_000 });
    const failures = s.kubeGit.lines.filter(({ msg }) => msg === 'reconcile failed, trying again');
    assert.ok(failures.length <= 3, JSON.stringify(failures));
    assert.equal(titles(s).length, 2);
  });
});
