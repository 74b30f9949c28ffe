// The main job from outside: a push becomes a Job, its end becomes a commit status and a message.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { jobManifest, startScenario } from '../env/scenario.ts';
import { waitFor } from '../env/wait.ts';

const states = (statuses: readonly { readonly state: string }[]): string[] => statuses.map(({ state }) => state);
const titles = (messages: readonly { readonly body: unknown }[]): string[] =>
  messages.map(({ body }) => (body as { attachments: { title: string }[] }).attachments[0]!.title);

describe('a push', () => {
  it('runs its Job once, and its success is told to the forge and to Slack', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app');
    const commit = await s.push({ 'job.yaml': jobManifest });

    const [delivery] = s.forge.deliveries.slice(-1);
    assert.equal(delivery?.answer?.status, 202, delivery?.answer?.body);
    const running = await s.untilRun(commit, (run) => run.status?.phase === 'Running', 'Running');
    const name = running.status?.resource?.name ?? '';
    await waitFor(() => states(s.forge.statuses).includes('pending') && titles(s.forge.messages).length === 1, {
      what: 'the start to be told',
    });

    await s.endJob(name, 'Succeeded');
    const ended = await s.untilRun(
      commit,
      (run) => run.status?.phase === 'Succeeded' && run.status.handedBack === true,
      'Succeeded',
    );
    await waitFor(() => s.forge.statuses.length === 2 && s.forge.messages.length === 2, { what: 'the end to be told' });

    assert.equal(ended.status?.conditions?.[0]?.status, 'True');
    assert.equal(ended.status?.reason, 'Completed');
    assert.deepEqual(states(s.forge.statuses), ['pending', 'success']);
    assert.deepEqual(titles(s.forge.messages), [
      'Job Started :large_orange_diamond:',
      'Job Succeeded :white_check_mark:',
    ]);
    const [, success] = s.forge.statuses;
    assert.equal(success?.context, `kube-git/${s.namespace}/app`);
    assert.equal(success?.target_url, `https://example.test/${s.namespace}/${name}`);
    assert.equal(success?.description, 'The build has succeeded');
    assert.equal((await s.jobs()).length, 1);
  });

  it('whose Job fails is told as failed, with the reason on the run', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app');
    const commit = await s.push({ 'job.yaml': jobManifest });
    const running = await s.untilRun(commit, (run) => run.status?.phase === 'Running', 'Running');
    await s.endJob(running.status?.resource?.name ?? '', 'Failed');
    const ended = await s.untilRun(commit, (run) => run.status?.phase === 'Failed', 'Failed');
    await waitFor(
      () => states(s.forge.statuses).at(-1) === 'failure' && titles(s.forge.messages).at(-1) === 'Job Failed :x:',
      { what: 'the failure to be told' },
    );
    assert.equal(ended.status?.reason, 'BackoffLimitExceeded');
    assert.equal(ended.status?.conditions?.[0]?.status, 'False');
  });

  it('leaves the fields of the original on the GitHook and the annotations on the Job', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app');
    const commit = await s.push({ 'job.yaml': jobManifest }, 'feature/x');
    const run = await s.untilRun(commit, ({ status }) => status?.phase === 'Running', 'Running');
    const [job] = await s.jobs();
    const annotations = Object.entries(job?.metadata.annotations ?? {}).filter(([key]) =>
      key.startsWith('kubegit.appspero.com/'),
    );
    assert.deepEqual(
      Object.fromEntries(annotations.map(([key, value]) => [key.replace('kubegit.appspero.com/', ''), value])),
      {
        ...{
          branch: 'refs/heads/feature/x',
          commit,
          author: 'Ada Test',
          githook: `${s.namespace}/app`,
          repository: s.repository.url,
        },
        ...{
          slack: 'team',
          github: 'forge',
          started: 'false',
        },
      },
    );
    const status = await waitFor(
      async () => (await s.readGitHook('app')).status?.triggerCount === 1 && (await s.readGitHook('app')).status,
      { what: 'the status of the GitHook' },
    );
    const { lastCommit, branch, author, appliedResource, lastTrigger } = status;
    assert.deepEqual(
      { lastCommit, branch, author },
      { lastCommit: commit, branch: 'refs/heads/feature/x', author: 'Ada Test' },
    );
    assert.deepEqual(appliedResource, {
      apiVersion: 'batch/v1',
      kind: 'Job',
      namespace: s.namespace,
      name: run.status?.resource?.name,
    });
    assert.equal(lastTrigger, run.status?.startTime);
  });

  it('is run at the pushed commit although the branch has moved on', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app');
    const first = await s.repository.commit({ 'job.yaml': jobManifest });
    await s.repository.commit({ 'job.yaml': null, README: 'moved on' });
    await s.forge.announce({
      repository: s.repository.name,
      ref: 'refs/heads/main',
      before: '0'.repeat(40),
      after: first,
    });
    await s.untilRun(first, (run) => run.status?.phase === 'Running', 'Running');
  });

  it('redelivered runs nothing again and is answered with the run that is there', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app');
    const commit = await s.push({ 'job.yaml': jobManifest });
    await s.untilRun(commit, (run) => run.status?.phase === 'Running', 'Running');
    const id = s.forge.deliveries.at(-1)?.id ?? '';
    const again = await s.forge.redeliver(id);
    assert.equal(again.answer?.status, 202);
    assert.equal((await s.runs()).length, 1);
    assert.equal((await s.jobs()).length, 1);
  });

  it('to a suspended GitHook leaves a Skipped run and no Job', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app', { suspend: true });
    const commit = await s.push({ 'job.yaml': jobManifest });
    const run = await s.untilRun(commit, ({ status }) => status?.phase === 'Skipped', 'Skipped');
    assert.equal(run.status?.reason, 'Suspended');
    assert.deepEqual(await s.jobs(), []);
    assert.deepEqual(s.forge.statuses, []);
  });
});
