// Pushes that no webhook tells of: kube-git finds them by comparing the repository's refs with what they were. With times
// of seconds instead of minutes.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { api } from '../env/cluster.ts';
import { events, files, found, patch, quick, silently, start, untilAllLooked, untilLooked } from '../env/recovery.ts';
import { startScenario } from '../env/scenario.ts';
import { waitFor } from '../env/wait.ts';

describe('a push whose webhook was lost', () => {
  it('is run once, with what its author wrote, and says where it came from', async (t) => {
    const s = await start(t);
    const author = { name: 'Grace Hopper', email: 'grace@example.com' };
    const message = 'Fix it\n\nat last';
    const commit = await s.repository.commit({ README: 'new' }, { author, message });
    const run = await found(s, commit);
    const { ref, after, before, forge, delivery, pushTime } = run.spec;
    assert.deepEqual(
      { ref, after, before, forge, delivery, pushTime, author: run.spec.author, message: run.spec.message },
      {
        ...{ ref: 'refs/heads/main', after: commit, before: undefined, forge: 'git' },
        ...{ delivery: undefined, pushTime: undefined, author: 'Grace Hopper', message: 'Fix it' },
      },
    );
    await s.untilRun(commit, ({ status }) => status?.phase === 'Running', 'Running');
    const recovery = await waitFor(
      async () => (await s.readGitHook('app')).status?.recovery?.find(({ found: n }) => n === 1),
      { what: 'the status to say so' },
    );
    assert.equal(recovery.source, 'Poll');
    assert.equal(recovery.lastError, undefined);
    assert.ok(recovery.lastSuccessTime && recovery.lastFoundTime);
    const [event = ''] = await waitFor(
      async () => {
        const said = await events(s, 'PushRecovered');
        return said.length > 0 && said;
      },
      { what: 'the Event' },
    );
    assert.match(
      event,
      new RegExp(`^the push of refs/heads/main \\(${commit.slice(0, 12)}\\) runs late: no webhook told of it`),
    );
    await untilAllLooked(s);
    assert.equal((await s.runs()).filter(({ spec }) => spec.commit === commit).length, 1);
  });

  it('is claimed by the webhook when that comes late', async (t) => {
    const s = await start(t);
    const commit = await silently(s);
    await found(s, commit);
    await s.forge.announce({ repository: s.repository.name, ref: 'refs/heads/main', before: s.first, after: commit });
    const delivery = s.forge.deliveries.at(-1);
    assert.equal(delivery?.answer?.status, 202);
    const [run, ...others] = (await s.runs()).filter(({ spec }) => spec.commit === commit);
    assert.equal(others.length, 0);
    assert.deepEqual(
      run?.status?.deliveries?.map(({ id }) => id),
      [delivery.id],
    );
  });

  it('is not looked for where the webhook came', async (t) => {
    const s = await start(t);
    const commit = await s.push({ README: 'told' });
    await untilAllLooked(s);
    const runs = (await s.runs()).filter(({ spec }) => spec.commit === commit);
    assert.deepEqual(
      runs.map(({ spec }) => spec.source),
      ['Webhook'],
    );
    const { found: count } = await waitFor(
      async () => (await s.readGitHook('app')).status?.recovery?.find(({ lastFoundTime }) => lastFoundTime),
      { what: 'the marker to be counted' },
    );
    assert.equal(count, 1, 'the marker only');
  });

  it('is found on a new branch, as tags of all kinds, and after a force push back', async (t) => {
    const s = await start(t);
    const second = await s.push({ README: 'second' });
    await s.untilRun(second, () => true, 'there');
    await untilAllLooked(s);
    await s.repository.forcePush('main', s.first);
    const branch = await silently(s, 'feature/new');
    const annotated = await s.repository.tag('annotated', second, 'words');
    for (const tag of ['v1', 'v2', 'v3', 'v4']) await s.repository.tag(tag, second);
    const blob = await s.repository.git(['hash-object', '-w', '--stdin'], { input: 'no commit' });
    await s.repository.git(['update-ref', 'refs/tags/blob', blob]);
    const refs = ['main', 'feature/new'].map((name) => `refs/heads/${name}`);
    const tags = ['annotated', 'v1', 'v2', 'v3', 'v4'].map((name) => `refs/tags/${name}`);
    const polled = async () => (await s.runs()).filter(({ spec }) => spec.source === 'Poll');
    await waitFor(async () => (await polled()).length >= 8, { what: 'all of them', deadlineMs: 30_000 });
    await untilAllLooked(s);
    const runs = (await polled()).filter(({ spec }) => !spec.ref.includes('marker'));
    assert.deepEqual(runs.map(({ spec }) => spec.ref).sort(), [...refs, ...tags].sort());
    const of = (ref: string) => runs.find(({ spec }) => spec.ref === ref)?.spec;
    assert.equal(of('refs/heads/main')?.commit, s.first);
    assert.equal(of('refs/heads/feature/new')?.commit, branch);
    assert.deepEqual([of('refs/tags/annotated')?.after, of('refs/tags/annotated')?.commit], [annotated, second]);
  });

  it('leaves a Skipped run where the GitHook is suspended, and is not made up for', async (t) => {
    const s = await start(t, { spec: { suspend: true } });
    const commit = await silently(s);
    await s.untilRun(commit, ({ status }) => status?.phase === 'Skipped', 'Skipped');
    await patch(s, { suspend: false });
    await untilAllLooked(s);
    assert.equal((await s.runs()).filter(({ spec }) => spec.commit === commit).length, 1);
  });
});

describe('a cluster that no forge can reach', () => {
  it('runs what is pushed, with no webhook and no secret at all', async (t) => {
    const s = await start(t, { secret: '' });
    const commits = [await silently(s), await silently(s, 'second')];
    for (const commit of commits) await found(s, commit);
    const [recovery] = await waitFor(async () => (await s.readGitHook('app')).status?.recovery, { what: 'the status' });
    assert.equal(recovery?.source, 'Poll');
  });

  it('looks where the GitHook says so only, and says nothing of it elsewhere', async (t) => {
    const s = await startScenario(t, { args: ['-poll-interval=0s', '-poll-settle=1s'] });
    await s.repository.commit(files);
    await s.gitHook('app', { poll: { intervalSeconds: 30 } });
    await s.gitHook('quiet');
    await untilLooked(s);
    assert.equal((await s.readGitHook('quiet')).status?.recovery, undefined);
    assert.ok((await s.readGitHook('app')).status);
    await patch(s, { poll: { intervalSeconds: 0 } });
    const said = async (): Promise<boolean> => ((await s.readGitHook('app')).status?.recovery ?? []).length === 0;
    await waitFor(said, { what: 'the status to say nothing of polls' });
  });
});

describe('a repository that cannot be looked at', () => {
  it('is said in the status until it can, and what was pushed meanwhile is found', async (t) => {
    const s = await startScenario(t, { args: quick });
    await s.repository.commit(files);
    await s.gitHook('app', { repository: `${s.sinks.github.url}/acme/app.git` });
    await untilLooked(s);
    const recovery = async () => (await s.readGitHook('app')).status?.recovery?.[0];
    await waitFor(async () => (await recovery())?.lastSuccessTime, { what: 'the first look to be told' });
    const up = s.sinks.github.rule(() => ({ kind: 'answer', status: 500 }));
    const commit = await silently(s);
    const error = await waitFor(async () => (await recovery())?.lastError, { what: 'the error' });
    assert.match(error, /^RepositoryUnreachable: .* answers 500$/);
    up();
    await found(s, commit);
    await waitFor(async () => (await recovery())?.lastError === undefined, { what: 'the error to go' });
  });

  it('with an account that may not keep a baseline is said with what to do', async (t) => {
    const s = await startScenario(t, { args: [...quick, '-default-service-account=kube-git-runner'] });
    await api('POST', `/api/v1/namespaces/${s.namespace}/serviceaccounts`, { metadata: { name: 'kube-git-runner' } });
    await s.repository.commit(files);
    await s.gitHook('app');
    const recovery = async () => (await s.readGitHook('app')).status?.recovery?.[0];
    const error = await waitFor(async () => (await recovery())?.lastError, { what: 'the error' });
    assert.match(error, /^NoPermission: .*configmaps.* kubectl apply -k install\/tenant -n /);
  });
});

describe('GitHooks of one repository', () => {
  it('share a connection, and each has its run', async (t) => {
    const s = await start(t);
    for (const name of ['b', 'c', 'd']) await s.gitHook(name);
    await untilLooked(s, 4);
    const lists = (): number => s.sinks.github.log.length;
    const shared = `${s.sinks.github.url}/acme/app.git`;
    for (const name of ['app', 'b', 'c', 'd']) await patch(s, { repository: shared }, name);
    await waitFor(() => lists() > 0, { what: 'a look through the proxy' });
    const commit = await silently(s);
    await waitFor(async () => (await s.runs()).filter(({ spec }) => spec.commit === commit).length === 4, {
      what: 'four runs',
      deadlineMs: 30_000,
    });
  });
});
