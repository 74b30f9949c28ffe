// Several runs that speak for one commit: the newest that has a word speaks, and it is the last to be heard.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GitHookRun } from '../../src/api/githookrun.ts';
import { api } from '../env/cluster.ts';
import { nth } from '../env/proxy.ts';
import { jobManifest, type Scenario, startScenario } from '../env/scenario.ts';
import { waitFor } from '../env/wait.ts';

const zeros = '0'.repeat(40);
const slackOnly = { notification: { slack: 'team' } };

const stateAtForge = (run: GitHookRun): string | undefined =>
  run.status?.sinks?.find(({ type }) => type === 'github')?.desired;

/** The run of this ref that came as the nth, when it satisfies the condition. */
function untilRun(
  s: Scenario,
  { ref, sequence = 1 }: { readonly ref: string; readonly sequence?: number },
  condition: (run: GitHookRun) => boolean,
): Promise<GitHookRun> {
  const find = async (): Promise<GitHookRun | undefined> =>
    (await s.runs()).find((run) => run.spec.ref === ref && run.spec.sequence === sequence && condition(run));
  return waitFor(find, { what: `run ${sequence} of ${ref}; ${s.kubeGit.output().slice(-1000)}`, deadlineMs: 20_000 });
}

const isRunning = (run: GitHookRun): boolean => run.status?.phase === 'Running';
const isTold = (run: GitHookRun): boolean =>
  run.status?.sinks?.every(({ desired, told }) => desired === 'Superseded' || desired === told) ?? false;
const jobOf = (run: GitHookRun): string => run.status?.resource?.name ?? '';

/** Points a branch at the commit and has the forge tell of it. */
async function move(s: Scenario, branch: string, commit: string): Promise<void> {
  const ref = `refs/heads/${branch}`;
  const before = (await s.repository.ref(ref)) ?? zeros;
  await s.repository.forcePush(branch, commit);
  await s.forge.announce({ repository: s.repository.name, ref, before, after: commit });
}

/** Creation times have whole seconds, and the newest speaks: the next run must be in a later one. */
async function untilLaterThan(run: GitHookRun): Promise<void> {
  const second = Date.parse(run.metadata.creationTimestamp ?? '') + 1000;
  await waitFor(() => Date.now() >= second, { what: 'the next second' });
}

describe('two branches at one commit', () => {
  it('are spoken for by the newer run, whichever ends first', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app');
    const commit = await s.push({ 'job.yaml': jobManifest });
    const older = await untilRun(s, { ref: 'refs/heads/main' }, (run) => isRunning(run) && isTold(run));
    await untilLaterThan(older);
    await move(s, 'other', commit);
    const newer = await untilRun(s, { ref: 'refs/heads/other' }, (run) => isRunning(run) && isTold(run));
    await s.endJob(jobOf(newer), 'Succeeded');
    await untilRun(s, { ref: 'refs/heads/other' }, (run) => run.status?.phase === 'Succeeded' && isTold(run));
    await s.endJob(jobOf(older), 'Failed');
    const ended = await untilRun(s, { ref: 'refs/heads/main' }, (run) => run.status?.phase === 'Failed' && isTold(run));
    assert.equal(stateAtForge(ended), 'Superseded');
    assert.deepEqual(
      s.forge.statuses.map(({ sha, state }) => [sha, state]),
      [
        [commit, 'pending'],
        [commit, 'pending'],
        [commit, 'success'],
      ],
    );
    // A channel is told of every run: it has no last word that another could overwrite.
    await waitFor(() => s.forge.messages.length === 4, { what: 'both runs in the channel' });
  });

  it('end with the newer one’s word at the forge although the older one’s is still on its way', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app');
    let arrive = (): void => {};
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    t.after(() => arrive());
    s.sinks.github.rule(nth(1, { kind: 'hold', until: arrived }));
    const commit = await s.push({ 'job.yaml': jobManifest });
    await waitFor(() => s.sinks.github.log.length === 1, { what: 'the older run’s word on its way' });
    await untilLaterThan(await untilRun(s, { ref: 'refs/heads/main' }, isRunning));
    await move(s, 'other', commit);
    const newer = await untilRun(s, { ref: 'refs/heads/other' }, isRunning);
    await s.endJob(jobOf(newer), 'Succeeded');
    await untilRun(s, { ref: 'refs/heads/other' }, (run) => run.status?.phase === 'Succeeded');
    arrive();
    await untilRun(s, { ref: 'refs/heads/other' }, isTold);
    await untilRun(s, { ref: 'refs/heads/main' }, isTold);
    assert.equal(s.forge.statuses.at(-1)?.state, 'success', s.forge.statuses.map(({ state }) => state).join(', '));
  });
});

describe('a branch that goes back and forth', () => {
  it('is run each time, and the last word at the forge is the newest run’s', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app');
    const ref = 'refs/heads/main';
    const a = await s.push({ 'job.yaml': jobManifest });
    const b = await s.push({ README: 'b' });
    const first = await waitFor(async () => (await s.runs()).find((run) => run.spec.commit === b && isRunning(run)), {
      what: 'the first run of B',
    });
    await untilLaterThan(first);
    await move(s, 'main', a);
    await move(s, 'main', b);
    const ofB = (sequence: number, condition: (run: GitHookRun) => boolean): Promise<GitHookRun> =>
      untilRun(s, { ref, sequence }, (run) => run.spec.commit === b && condition(run));
    const second = await ofB(2, (run) => isRunning(run) && isTold(run));
    await s.endJob(jobOf(second), 'Failed');
    await s.endJob(jobOf(first), 'Succeeded');
    await ofB(2, (run) => run.status?.phase === 'Failed' && isTold(run));
    const ended = await ofB(1, (run) => run.status?.phase === 'Succeeded' && isTold(run));
    assert.equal(stateAtForge(ended), 'Superseded');
    assert.equal(s.forge.statuses.filter(({ sha }) => sha === b).at(-1)?.state, 'failure');
    assert.equal((await s.runs()).length, 4);
  });
});

describe('a second GitHook', () => {
  const stalled = async (s: Scenario, name: string) =>
    (await s.readGitHook(name)).status?.conditions?.find(({ type }) => type === 'Stalled');

  it('that reports the same repository under the same context is Stalled with ContextTaken; the older one is not', async (t) => {
    const s = await startScenario(t);
    const notification = { github: 'forge', context: 'ci' };
    const older = await s.gitHook('older', { notification });
    await waitFor(() => Date.now() >= Date.parse(older.metadata.creationTimestamp ?? '') + 1000, { what: 'a second' });
    await s.gitHook('younger', { notification });
    const condition = await waitFor(
      async () => (await stalled(s, 'younger'))?.status === 'True' && stalled(s, 'younger'),
      { what: 'Stalled' },
    );
    assert.equal(condition.reason, 'ContextTaken');
    assert.match(
      condition.message,
      new RegExp(`GitHook ${s.namespace}/older .* Set another spec\\.notification\\.context`),
    );
    assert.equal((await stalled(s, 'older'))?.status, 'False');
  });

  it('does not speak to the forge until the older one is gone, and then does', async (t) => {
    const s = await startScenario(t);
    const notification = { github: 'forge', context: 'ci' };
    const older = await s.gitHook('older', { notification });
    await waitFor(() => Date.now() >= Date.parse(older.metadata.creationTimestamp ?? '') + 1000, { what: 'a second' });
    await s.gitHook('younger', { notification });
    await waitFor(async () => (await stalled(s, 'younger'))?.reason === 'ContextTaken', { what: 'Stalled' });
    await s.push({ 'job.yaml': jobManifest });

    const sinkOf = async (gitHook: string) =>
      (await s.runs()).find(({ spec }) => spec.gitHookRef.name === gitHook)?.status?.sinks?.[0];
    await waitFor(async () => (await sinkOf('younger'))?.lastError?.startsWith('ContextTaken: '), { what: 'refusal' });
    await waitFor(async () => (await sinkOf('older'))?.told === 'Started', { what: 'the older one to speak' });
    assert.equal(s.forge.statuses.length, 1);

    await api('DELETE', `/apis/kubegit.appspero.com/v1alpha1/namespaces/${s.namespace}/githooks/older`);
    await waitFor(async () => (await stalled(s, 'younger'))?.status === 'False', { what: 'not Stalled any more' });
    await waitFor(async () => (await sinkOf('younger'))?.told === 'Started', { what: 'the younger one to speak' });
    assert.equal(s.forge.statuses.length, 2);
  });

  it('is Stalled as soon as an older one takes its context, without a push', async (t) => {
    const s = await startScenario(t);
    const older = await s.gitHook('older', { notification: { github: 'forge', context: 'a' } });
    await waitFor(() => Date.now() >= Date.parse(older.metadata.creationTimestamp ?? '') + 1000, { what: 'a second' });
    await s.gitHook('younger', { notification: { github: 'forge', context: 'b' } });
    assert.equal((await stalled(s, 'younger'))?.status, 'False');
    const path = `/apis/kubegit.appspero.com/v1alpha1/namespaces/${s.namespace}/githooks/older`;
    await api('PATCH', path, { spec: { notification: { context: 'b' } } });
    await waitFor(async () => (await stalled(s, 'younger'))?.reason === 'ContextTaken', { what: 'Stalled' });
    assert.equal((await stalled(s, 'older'))?.status, 'False');
  });

  it('that tells only Slack, or under its own context, is not Stalled', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('one');
    await s.gitHook('two');
    await s.gitHook('three', slackOnly);
    for (const name of ['one', 'two', 'three']) assert.equal((await stalled(s, name))?.status, 'False', name);
  });
});
