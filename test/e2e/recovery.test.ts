// Pushes that no webhook tells of: kube-git finds them by comparing the repository's refs with what they were. With times
// of seconds instead of minutes; the forge is a real git server that says nothing unless a test has it announce.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GitHook } from '../../src/api/githook.ts';
import { startApiProxy } from '../env/api-proxy.ts';
import { api } from '../env/cluster.ts';
import type { FaultProxy } from '../env/proxy.ts';
import { jobManifest, type Scenario, type ScenarioOptions, startScenario } from '../env/scenario.ts';
import { waitFor } from '../env/wait.ts';

type Context = Parameters<typeof startScenario>[0];

const quick = ['-poll-interval=1s', '-poll-settle=1s'];
const files = { 'job.yaml': jobManifest };

/** A scenario that looks every second, with a GitHook whose baseline is taken; the repository has a commit on main. */
async function start(
  t: Context,
  options: ScenarioOptions & { readonly spec?: Partial<GitHook['spec']> } = {},
): Promise<Scenario & { readonly first: string }> {
  const s = await startScenario(t, { args: quick, ...options });
  const first = await s.repository.commit(files);
  await s.gitHook('app', options.spec);
  await untilLooked(s);
  return { ...s, first };
}

interface ConfigMap {
  readonly metadata: { readonly name: string; readonly ownerReferences: readonly { readonly uid: string }[] };
  readonly data: Readonly<Record<string, string>>;
}

async function baselines(s: Scenario): Promise<readonly ConfigMap[]> {
  const { items } = await api<{ items: readonly ConfigMap[] }>('GET', `/api/v1/namespaces/${s.namespace}/configmaps`);
  return items.filter(({ metadata }) => metadata.name.startsWith('kube-git-refs-'));
}

/** Until every GitHook has its baseline. */
async function untilLooked(s: Scenario, count = 1): Promise<void> {
  await waitFor(async () => (await baselines(s)).length === count, {
    what: `the baseline; ${s.kubeGit.output().slice(-1500)}`,
    deadlineMs: 20_000,
  });
}

/** Moves main without telling anybody. */
function silently(s: Scenario, branch = 'main'): Promise<string> {
  return s.repository.commit({ ...files, README: `${Math.random()}` }, { branch });
}

const found = (s: Scenario, commit: string) => s.untilRun(commit, ({ spec }) => spec.source === 'Poll', 'found');

/** Waits until a push made now has been found, which is proof that everything before it has been looked at, too. */
async function untilAllLooked(s: Scenario): Promise<void> {
  await found(s, await silently(s, `marker-${Math.random()}`.replace('.', '')));
}

async function events(s: Scenario, reason: string): Promise<readonly string[]> {
  const path = `/api/v1/namespaces/${s.namespace}/events`;
  const { items } = await api<{ items: readonly { reason: string; message: string }[] }>('GET', path);
  return items.filter((event) => event.reason === reason).map(({ message }) => message);
}

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
    assert.match(event, new RegExp(`^no webhook told of the push of refs/heads/main \\(${commit.slice(0, 12)}\\)`));
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
    assert.equal((await s.readGitHook('app')).status?.recovery?.[0]?.found, 1, 'the marker only');
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

async function patch(s: Scenario, spec: Partial<GitHook['spec']>, name = 'app'): Promise<void> {
  await api('PATCH', `/apis/kubegit.appspero.com/v1alpha1/namespaces/${s.namespace}/githooks/${name}`, { spec });
}

describe('the baseline', () => {
  it('is kept over a restart: what was pushed meanwhile is run, and nothing else', async (t) => {
    const s = await start(t);
    await s.repository.commit({ README: 'other' }, { branch: 'other' });
    await waitFor(async () => (await s.runs()).length === 1, { what: 'other to be found', deadlineMs: 20_000 });
    await s.kubeGit.kill();
    const commit = await silently(s);
    await s.restart();
    await found(s, commit);
    await untilAllLooked(s);
    assert.equal((await s.runs()).length, 3);
  });

  it('is taken anew for another repository, and a change of patterns starts nothing', async (t) => {
    const s = await start(t, { spec: { branches: ['main'] } });
    const other = await s.forge.createRepository('acme/other');
    await other.commit(files);
    await s.repository.commit(files, { branch: 'dev' });
    const written = (): Promise<string> => baselines(s).then(([one]) => one?.data['repository'] ?? '');
    const branches = (): Promise<string> => baselines(s).then(([one]) => one?.data['branches'] ?? '');
    await patch(s, { branches: ['main', 'dev', 'marker-*'] });
    await waitFor(async () => (await branches()).includes('dev'), { what: 'the patterns in the baseline' });
    await untilAllLooked(s);
    await patch(s, { repository: other.url });
    await waitFor(async () => (await written()).endsWith('/acme/other'), { what: 'the new baseline' });
    await other.commit({ ...files, README: 'x' }, { branch: 'marker-other' });
    await waitFor(async () => (await s.runs()).length > 1, { what: 'the marker', deadlineMs: 20_000 });
    assert.deepEqual((await s.runs()).map(({ spec }) => spec.ref.replace(/\d+$/, '')).sort(), [
      'refs/heads/marker-',
      'refs/heads/marker-other',
    ]);
  });

  it('is written only after the run: killed between the two, there is one run', async (t) => {
    const proxy = await startApiProxy(t);
    const s = await start(t, { master: proxy.url });
    let stop = true;
    proxy.rule(({ method, path }) =>
      stop && method === 'PUT' && path.includes('/configmaps/') ? { kind: 'answer', status: 503 } : undefined,
    );
    const commit = await silently(s);
    await found(s, commit);
    await s.kubeGit.kill();
    stop = false;
    await s.restart();
    await untilAllLooked(s);
    assert.equal((await s.runs()).filter(({ spec }) => spec.commit === commit).length, 1);
  });

  it('is one ConfigMap owned by the GitHook, and nothing is written while nothing moves', async (t) => {
    const proxy = await startApiProxy(t);
    const s = await start(t, { master: proxy.url });
    await untilAllLooked(s);
    const quiet = waitForLooks(proxy, 3);
    await quiet;
    const from = proxy.log.length;
    await waitForLooks(proxy, 3);
    const writes = proxy.log.slice(from).filter(({ method }) => method !== 'GET');
    assert.deepEqual(
      writes.map(({ method, path }) => `${method} ${path}`).filter((call) => !call.includes('/leases/')),
      [],
    );
    const [{ metadata }, ...others] = (await baselines(s)) as [ConfigMap, ...ConfigMap[]];
    const { uid } = (await s.readGitHook('app')).metadata;
    assert.deepEqual([others.length, metadata.ownerReferences[0]?.uid], [0, uid]);
  });
});

/** Until the baseline has been read so many times more. */
async function waitForLooks(proxy: FaultProxy, count: number): Promise<void> {
  const looks = (): number =>
    proxy.log.filter(({ path, method }) => method === 'GET' && path.includes('/configmaps/')).length;
  const from = looks();
  await waitFor(() => looks() >= from + count, { what: 'looks', deadlineMs: 30_000 });
}

describe('a cluster that no forge can reach', () => {
  it('runs what is pushed, with no webhook and no secret at all', async (t) => {
    const s = await start(t, { secret: '' });
    const commits = [await silently(s), await silently(s, 'second')];
    for (const commit of commits) await found(s, commit);
    assert.equal((await s.readGitHook('app')).status?.recovery?.[0]?.source, 'Poll');
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
