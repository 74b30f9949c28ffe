// A run is run again by annotation: the same commit, as the GitHook is now; once for each value.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GitHookRun } from '../../src/api/githookrun.ts';
import { startApiProxy } from '../env/api-proxy.ts';
import { annotate, eventsAbout } from '../env/by-hand.ts';
import { api } from '../env/cluster.ts';
import { jobManifest, type Scenario, startScenario } from '../env/scenario.ts';
import { waitFor } from '../env/wait.ts';

const group = '/apis/kubegit.appspero.com/v1alpha1';
const key = 'kubegit.appspero.com/rerun';
const isRunning = ({ status }: GitHookRun): boolean => status?.phase === 'Running';

const rerun = (s: Scenario, run: GitHookRun, value: string): Promise<GitHookRun> =>
  annotate(s.namespace, 'githookruns', run.metadata.name, { [key]: value });

async function pushed(s: Scenario): Promise<GitHookRun> {
  const commit = await s.push({ 'job.yaml': jobManifest });
  return s.untilRun(commit, isRunning, 'Running');
}

/** Until the run says that the value was answered. */
function untilAnswered(s: Scenario, run: GitHookRun, value: string): Promise<GitHookRun> {
  const path = `${group}/namespaces/${s.namespace}/githookruns/${run.metadata.name}`;
  return waitFor(
    async () => {
      const now = await api<GitHookRun>('GET', path);
      return now.status?.handledRerun === value ? now : undefined;
    },
    {
      what: `rerun=${value.slice(0, 20)} to be answered; kube-git said: ${s.kubeGit.output().slice(-2000)}`,
      deadlineMs: 30_000,
    },
  );
}

const manual = async (s: Scenario): Promise<readonly GitHookRun[]> =>
  (await s.runs()).filter(({ spec }) => spec.source === 'Manual');

/** Until there are so many runs by hand, all with a Job. */
function untilManual(s: Scenario, count: number): Promise<readonly GitHookRun[]> {
  return waitFor(
    async () => {
      const runs = await manual(s);
      return runs.length === count && runs.every(({ status }) => status?.resource?.uid !== undefined)
        ? runs
        : undefined;
    },
    { what: `${count} runs by hand; kube-git said: ${s.kubeGit.output().slice(-2000)}`, deadlineMs: 30_000 },
  );
}

describe('a rerun', () => {
  it('runs the same commit of the same push, while the first run goes on and after it, and says of which it is', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app');
    const run = await pushed(s);
    await rerun(s, run, '1');
    const [again] = await untilManual(s, 1);
    const { ref, commit, after, before, author, message, forge, repository } = run.spec;
    const { spec } = again!;
    assert.deepEqual(
      { ...spec, receivedTime: '' },
      {
        ...{ gitHookRef: run.spec.gitHookRef, sequence: 1, source: 'Manual', rerunOf: run.metadata.name, forge },
        ...{ ref, commit, after, before, author, message, repository, manifest: 'job.yaml', receivedTime: '' },
        notification: { github: 'forge', slack: 'team' },
      },
    );
    const [event] = await waitFor(
      async () => {
        const events = await eventsAbout(s.namespace, run.metadata.name, 'RerunStarted');
        return events.length > 0 ? events : undefined;
      },
      { what: 'the Event' },
    );
    assert.equal(event?.message, `run ${again?.metadata.name} runs refs/heads/main (${commit.slice(0, 12)}) again`);
    assert.equal((await s.jobs()).length, 2);

    await s.endJob(run.status?.resource?.name ?? '', 'Succeeded');
    await s.endJob(again?.status?.resource?.name ?? '', 'Failed');
    // Two runs of one commit: the newer one's word stands.
    const last = () => s.forge.statuses.at(-1)?.state;
    await waitFor(() => last() === 'failure', { what: 'the rerun to be told', deadlineMs: 30_000 });
    await rerun(s, again!, 'of the rerun');
    await untilManual(s, 2);
  });

  it('asked for twice with the same value is one, and with another value another', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app');
    const run = await pushed(s);
    await rerun(s, run, '1');
    await untilAnswered(s, run, '1');
    await rerun(s, run, '1');
    await rerun(s, run, '2');
    await untilAnswered(s, run, '2');
    await untilManual(s, 2);
    // The value before the last is known by the name of its run.
    await rerun(s, run, '1');
    await untilAnswered(s, run, '1');
    assert.equal((await manual(s)).length, 2);
  });

  it('that was answered starts nothing anew when its run is no longer there, also after a restart', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app');
    const run = await pushed(s);
    await rerun(s, run, '1');
    const [again] = await untilManual(s, 1);
    await untilAnswered(s, run, '1');
    await api('DELETE', `${group}/namespaces/${s.namespace}/githookruns/${again?.metadata.name}`);
    await waitFor(async () => (await manual(s)).length === 0, { what: 'the rerun to be deleted', deadlineMs: 30_000 });
    await s.kubeGit.kill();
    await s.restart();
    const next = await s.push({ 'job.yaml': jobManifest, README: 'next' });
    await s.untilRun(next, isRunning, 'Running');
    assert.deepEqual(await manual(s), []);
  });

  it('takes the GitHook as it is now, be it suspended', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app', { manifest: 'wrong.yaml' });
    const commit = await s.push({ 'job.yaml': jobManifest });
    const run = await s.untilRun(commit, ({ status }) => status?.reason === 'ManifestNotFound', 'without a manifest');
    const path = `${group}/namespaces/${s.namespace}/githooks/app`;
    await api('PATCH', path, { spec: { manifest: 'job.yaml', suspend: true } });
    await rerun(s, run, '1');
    const [again] = await untilManual(s, 1);
    assert.deepEqual([again?.spec.manifest, again?.spec.suspend, again?.spec.commit], ['job.yaml', true, commit]);
  });

  it('is known by a value of any length and content', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app');
    const run = await pushed(s);
    const values = ['', '$(reboot) ../../x\u202e\n%00', 'x'.repeat(200_000)];
    for (const [index, value] of values.entries()) {
      await rerun(s, run, value);
      await untilManual(s, index + 1);
    }
    const { status } = await waitFor(
      async () => {
        const now = (await s.runs()).find(({ metadata }) => metadata.name === run.metadata.name);
        return now?.status?.handledRerun?.startsWith('digest:') ? now : undefined;
      },
      { what: 'the long value to be answered' },
    );
    assert.match(status?.handledRerun ?? '', /^digest:[a-z2-7]{32}$/);
  });

  it('is not asked for by a run that comes from a backup with its annotation', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app');
    const run = await pushed(s);
    const restored = { ...run, metadata: { name: 'restored', annotations: { [key]: 'long ago' } } };
    await api('POST', `${group}/namespaces/${s.namespace}/githookruns`, restored);
    await untilAnswered(s, { ...run, metadata: { name: 'restored' } }, 'long ago');
    await waitFor(async () => (await eventsAbout(s.namespace, 'restored', 'RerunRefused')).length > 0, {
      what: 'the Event',
    });
    assert.deepEqual(await manual(s), []);
  });

  it('of a run whose GitHook is gone is refused once, in an Event', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app');
    const run = await pushed(s);
    await api('DELETE', `${group}/namespaces/${s.namespace}/githooks/app?propagationPolicy=Orphan`);
    await waitFor(async () => (await s.readGitHook('app').catch(() => undefined)) === undefined, {
      what: 'the GitHook to be gone',
    });
    await rerun(s, run, '1');
    await untilAnswered(s, run, '1');
    const events = () => eventsAbout(s.namespace, run.metadata.name, 'RerunRefused');
    await waitFor(async () => (await events()).length > 0, { what: 'the Event' });
    assert.deepEqual(
      (await events()).map(({ message, count, type }) => [type, count, message]),
      [['Warning', 1, 'kubegit.appspero.com/rerun starts nothing: the GitHook "app" of this run no longer exists']],
    );
    assert.deepEqual(await manual(s), []);
  });

  for (const fault of ['drop', 'dropAnswer'] as const) {
    for (const [what, method, end] of [
      ['its run is stored', 'POST', '/githookruns'],
      ['its answer is written down', 'PUT', '/status'],
    ] as const) {
      it(`is one where kube-git is killed when ${what}, ${fault === 'drop' ? 'before' : 'after'} that counts`, async (t) => {
        const proxy = await startApiProxy(t);
        const s = await startScenario(t, { master: proxy.url });
        await s.gitHook('app');
        const run = await pushed(s);
        await waitFor(() => s.forge.messages.length === 1 && s.forge.statuses.length === 1, {
          what: 'the start to be told',
        });
        let killed: Promise<void> | undefined;
        proxy.rule((request) => {
          const isVictim =
            request.method === method && request.path.endsWith(end) && request.path.includes('/githookruns');
          const isAnswer = method === 'POST' || request.path.includes(`/${run.metadata.name}/`);
          if (killed !== undefined || !isVictim || !isAnswer) return undefined;
          killed = s.kubeGit.kill();
          return { kind: fault };
        });
        await rerun(s, run, '1');
        await waitFor(() => killed !== undefined, { what: 'the crash', deadlineMs: 30_000 });
        await killed;
        await s.restart();
        await untilAnswered(s, run, '1');
        await untilManual(s, 1);
      });
    }
  }
});
