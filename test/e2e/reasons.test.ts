// "What happened to my push?" answered by kubectl alone: each trouble has a reason of its own on the run, and a word
// on the GitHook.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GitHook } from '../../src/api/githook.ts';
import { api } from '../env/cluster.ts';
import type { Entry } from '../env/git-server.ts';
import { jobManifest, type Scenario, startScenario } from '../env/scenario.ts';
import { waitFor } from '../env/wait.ts';

interface Trouble {
  readonly name: string;
  readonly files: Readonly<Record<string, Entry>>;
  readonly spec?: Partial<GitHook['spec']>;
  readonly phase?: 'Failed' | 'Pending';
  readonly reason: string;
  readonly message: RegExp;
}

const troubles: readonly Trouble[] = [
  { name: 'no such manifest', files: { README: 'x' }, reason: 'ManifestNotFound', message: /job\.yaml/ },
  {
    name: 'a symlink for a manifest',
    files: { 'job.yaml': { symlink: '/etc/passwd' } },
    reason: 'Symlink',
    message: /symbolic link|symlink/i,
  },
  { name: 'bad YAML', files: { 'job.yaml': 'kind: [Job' }, reason: 'ManifestInvalid', message: /line/i },
  {
    name: 'a misspelt field',
    files: { 'job.yaml': jobManifest.replace('backoffLimit', 'backofLimit') },
    reason: 'ManifestRefused',
    message: /unknown field "spec\.backofLimit"/,
  },
  {
    name: 'a kind that is not allowed',
    files: { 'job.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n' },
    reason: 'KindNotAllowed',
    message: /Pod/,
  },
  {
    name: 'another namespace',
    files: { 'job.yaml': jobManifest.replace('name: build\nspec', 'name: build\n  namespace: kube-system\nspec') },
    reason: 'NamespaceMismatch',
    message: /kube-system/,
  },
  {
    name: 'a missing Secret',
    files: { 'job.yaml': jobManifest },
    spec: { passwordSecret: { name: 'none', key: 'x' } },
    reason: 'SecretNotFound',
    message: /"none"/,
  },
  {
    name: 'an unreachable host',
    files: { 'job.yaml': jobManifest },
    spec: { repository: 'http://127.0.0.1:1/acme/app.git' },
    phase: 'Pending',
    reason: 'RepositoryUnreachable',
    message: /127\.0\.0\.1/,
  },
];

async function eventsOf(s: Scenario, gitHook: string): Promise<readonly string[]> {
  const list = (await api(
    'GET',
    `/api/v1/namespaces/${s.namespace}/events?fieldSelector=involvedObject.name=${gitHook}`,
  )) as {
    items: { reason: string; message: string }[];
  };
  return list.items.map(({ reason, message }) => `${reason}: ${message}`);
}

describe('a push that cannot start its Job', () => {
  for (const { name, files, spec, phase = 'Failed', reason, message } of troubles) {
    it(`because of ${name} says ${reason} on the run and on the GitHook`, async (t) => {
      const s = await startScenario(t);
      await s.gitHook('app', spec);
      const commit = await s.push(files);
      const run = await s.untilRun(
        commit,
        ({ status }) => status?.phase === phase && status.reason === reason,
        `${phase}/${reason}`,
      );
      assert.match(run.status?.message ?? '', message);
      assert.deepEqual(await s.jobs(), []);
      await waitFor(
        async () =>
          (await s.readGitHook('app')).status?.conditions?.some((one) => one.type === 'Ready' && one.reason === reason),
        { what: `Ready False/${reason}` },
      );
      if (phase === 'Pending') return;
      await waitFor(() => s.forge.statuses.length > 0 && s.forge.messages.length > 0, {
        what: 'the trouble to be told',
      });
      assert.deepEqual(
        s.forge.statuses.map(({ state, target_url }) => [state, target_url]),
        [['error', null]],
      );
      assert.match(s.forge.statuses[0]?.description ?? '', new RegExp(reason));
      await waitFor(
        async () => (await eventsOf(s, 'app')).some((text) => text.startsWith('RunFailed') && text.includes(reason)),
        { what: 'the Event' },
      );
    });
  }

  it('because its name is taken says NameTaken and leaves the other alone', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app');
    const commit = await s.push({ 'job.yaml': jobManifest });
    const run = await s.untilRun(commit, ({ status }) => status?.phase === 'Running', 'Running');
    const name = run.status?.resource?.name ?? '';
    // The same name again: the run is made anew as it was before it created anything, and somebody else has the name.
    await s.kubeGit.stop();
    await api('DELETE', `/apis/batch/v1/namespaces/${s.namespace}/jobs/${name}?propagationPolicy=Background`);
    await waitFor(async () => (await s.jobs()).length === 0, { what: 'the Job to be deleted' });
    const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'x', image: 'busybox' }] } };
    await api('POST', `/apis/batch/v1/namespaces/${s.namespace}/jobs`, {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name },
      spec: { template },
    });
    await api(
      'PATCH',
      `/apis/kubegit.appspero.com/v1alpha1/namespaces/${s.namespace}/githookruns/${run.metadata.name}/status`,
      { status: null },
    );
    await s.restart();
    const failed = await s.untilRun(commit, ({ status }) => status?.phase === 'Failed', 'Failed');
    assert.equal(failed.status?.reason, 'NameTaken');
    const [other] = await s.jobs();
    assert.equal(other?.metadata.ownerReferences, undefined);
  });

  it('because nothing matches leaves no run, but an Event that says why', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app', { branches: ['release/*'] });
    await s.push({ 'job.yaml': jobManifest });
    const answer = s.forge.deliveries.at(-1)?.answer;
    assert.equal(answer?.status, 200);
    assert.deepEqual(await s.runs(), []);
    await waitFor(
      async () =>
        (await eventsOf(s, 'app')).some((text) => text.startsWith('PushIgnored') && text.includes('release/*')),
      { what: 'the Event' },
    );
  });
});

describe('a Job', () => {
  it('that is deleted by hand ends its run as ResourceDeleted, and is not created again', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app');
    const commit = await s.push({ 'job.yaml': jobManifest });
    const running = await s.untilRun(commit, ({ status }) => status?.phase === 'Running', 'Running');
    await api(
      'DELETE',
      `/apis/batch/v1/namespaces/${s.namespace}/jobs/${running.status?.resource?.name}?propagationPolicy=Background`,
    );
    const ended = await s.untilRun(commit, ({ status }) => status?.phase === 'Failed', 'Failed');
    assert.equal(ended.status?.reason, 'ResourceDeleted');
    await waitFor(() => s.forge.statuses.at(-1)?.state === 'failure', { what: 'the failure to be told' });
    assert.deepEqual(await s.jobs(), []);
  });

  it('whose pods cannot be scheduled says so on the run while it goes on', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app');
    const commit = await s.push({ 'job.yaml': jobManifest });
    const running = await s.untilRun(commit, ({ status }) => status?.phase === 'Running', 'Running');
    const selector = encodeURIComponent(`batch.kubernetes.io/job-name=${running.status?.resource?.name}`);
    const pod = await waitFor(
      async () =>
        (
          (await api('GET', `/api/v1/namespaces/${s.namespace}/pods?labelSelector=${selector}`)) as {
            items: { metadata: { name: string } }[];
          }
        ).items[0],
      { what: 'the pod' },
    );
    const condition = {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message: '0/3 nodes are available: 3 Insufficient cpu.',
    };
    await api('PATCH', `/api/v1/namespaces/${s.namespace}/pods/${pod.metadata.name}/status`, {
      status: { phase: 'Pending', conditions: [condition] },
    });
    const seen = await s.untilRun(commit, ({ status }) => status?.reason === 'Unschedulable', 'Unschedulable');
    assert.equal(seen.status?.phase, 'Running');
    assert.match(seen.status?.message ?? '', /3 Insufficient cpu/);
  });
});
