// The CRDs' objects once they are stored: a run's spec never changes, status and spec have doors of their own, and what
// kubectl get shows.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GitHook } from '../src/api/githook.ts';
import type { GitHookRun } from '../src/api/githookrun.ts';
import { callApi } from './env/api.ts';
import { ApiError, api, testCluster, testNamespace } from './env/cluster.ts';

const group = '/apis/kubegit.appspero.com/v1alpha1';
const apiVersion = 'kubegit.appspero.com/v1alpha1';
const commit = '2f5a8c0d9b1e4f7a6c3d2e1f0a9b8c7d6e5f4a3b';
const time = '2026-11-22T12:00:00Z';

const gitHook = {
  apiVersion,
  kind: 'GitHook',
  metadata: { name: 'app' },
  spec: { repository: 'https://github.com/acme/app.git', branches: ['main'], manifest: 'ci/job.yaml' },
};
const run = {
  apiVersion,
  kind: 'GitHookRun',
  metadata: { name: 'app-abcdefghijkl' },
  spec: {
    gitHookRef: { name: 'app', uid: 'e7a5' },
    ...{ sequence: 1, source: 'Webhook', forge: 'github', receivedTime: time },
    ...{ repository: 'https://github.com/acme/app.git', manifest: 'ci/job.yaml', author: 'Ada Lovelace' },
    ...{ ref: 'refs/heads/main', commit, after: commit },
  },
};

interface Stored {
  /** …/githooks/app */
  readonly gitHook: string;
  readonly run: string;
}

/** One object of each kind in a namespace of their own; gives their paths. */
async function store(t: { after(fn: () => unknown): void }): Promise<Stored> {
  const folder = `${group}/namespaces/${await testNamespace(t)}`;
  await api('POST', `${folder}/githooks`, gitHook);
  await api('POST', `${folder}/githookruns`, run);
  return { gitHook: `${folder}/githooks/app`, run: `${folder}/githookruns/${run.metadata.name}` };
}

describe("a run's spec", () => {
  for (const [field, value] of [
    ['commit', 'f'.repeat(40)],
    ['suspend', true],
    ['author', null],
  ] as const) {
    it(`cannot be changed afterwards, not even ${field}`, async (t) => {
      const { run: path } = await store(t);
      const error: unknown = await api('PATCH', path, { spec: { [field]: value } }).catch((thrown: unknown) => thrown);
      assert.ok(error instanceof ApiError);
      assert.equal(error.status, 422);
      assert.match(error.message, /spec: .*never changes, because it is the record of a push: push again to get a new/);
    });
  }

  it('does not keep its labels and annotations from being changed', async (t) => {
    const { run: path } = await store(t);
    const changed = await api<GitHookRun>('PATCH', path, { metadata: { labels: { team: 'a' } } });
    assert.equal(changed.metadata.labels?.['team'], 'a');
  });

  for (const [field, value, message] of [
    ['source', 'Guess', /spec\.source: Unsupported value: "Guess"/],
    ['sequence', 0, /spec\.sequence: .*greater than or equal to 1/],
    ['commit', undefined, /spec\.commit: Required value/],
    ['gitHookRef', { name: 'app' }, /spec\.gitHookRef\.uid: Required value/],
    ['receivedTime', 'today', /spec\.receivedTime: Invalid value/],
  ] as const) {
    it(`is refused with ${field} ${JSON.stringify(value)}`, async (t) => {
      const path = `${group}/namespaces/${await testNamespace(t)}/githookruns`;
      await assert.rejects(api('POST', path, { ...run, spec: { ...run.spec, [field]: value } }), message);
    });
  }
});

describe('status', () => {
  it('of a GitHook is not written with its spec, nor its spec with the status', async (t) => {
    const { gitHook: path } = await store(t);
    const both = { spec: { manifest: 'other.yaml' }, status: { triggerCount: 7 } };
    const bySpec = await api<GitHook>('PATCH', path, both);
    assert.deepEqual([bySpec.spec.manifest, bySpec.status, bySpec.metadata.generation], ['other.yaml', undefined, 2]);
    const byStatus = await api<GitHook>('PATCH', `${path}/status`, { ...both, spec: { manifest: 'third.yaml' } });
    const { spec, status, metadata } = byStatus;
    assert.deepEqual([spec.manifest, status, metadata.generation], ['other.yaml', { triggerCount: 7 }, 2]);
  });

  it('of a run is not written with its metadata, nor its spec with the status', async (t) => {
    const { run: path } = await store(t);
    const status = { phase: 'Running', reason: 'Running', message: 'The Job is running.' };
    const byMain = await api<GitHookRun>('PATCH', path, { metadata: { labels: { team: 'a' } }, status });
    assert.equal(byMain.status, undefined);
    const byStatus = await api<GitHookRun>('PATCH', `${path}/status`, { spec: { author: 'Eve' }, status });
    assert.deepEqual([byStatus.spec.author, byStatus.status], ['Ada Lovelace', status]);
  });

  it('is dropped from an object that is created', async (t) => {
    const path = `${group}/namespaces/${await testNamespace(t)}/githooks`;
    const created = await api<GitHook>('POST', path, { ...gitHook, status: { triggerCount: 7 } });
    assert.equal(created.status, undefined);
  });

  it('of a run has only the phases there are', async (t) => {
    const { run: path } = await store(t);
    const writing = api('PATCH', `${path}/status`, { status: { phase: 'Done' } });
    await assert.rejects(writing, /status\.phase: Unsupported value: "Done": supported values: "Pending", "Creating"/);
  });
});

interface Table {
  readonly columnDefinitions: readonly { readonly name: string; readonly priority: number }[];
  readonly rows: readonly { readonly cells: readonly unknown[] }[];
}

/** Column → cell, as kubectl get -o wide shows the object; `narrow` has the columns that it shows without -o wide. */
async function tableOf(path: string): Promise<{ cells: Record<string, unknown>; narrow: readonly string[] }> {
  const accept = 'application/json;as=Table;g=meta.k8s.io;v=v1';
  const { columnDefinitions, rows } = await callApi<Table>(testCluster(), 'GET', path, { accept });
  const cells = columnDefinitions.map(({ name }, index) => [name, rows[0]?.cells[index]] as const);
  const narrow = columnDefinitions.filter(({ priority }) => priority === 0).map(({ name }) => name);
  return { cells: Object.fromEntries(cells), narrow };
}

const condition = { status: 'True', lastTransitionTime: time, reason: 'Listening', message: 'A push to main runs it.' };

describe('kubectl get', () => {
  it('shows of a GitHook what its last push did, and with -o wide whether it is ready and why', async (t) => {
    const { gitHook: path } = await store(t);
    const conditions = [
      { ...condition, type: 'Stalled', status: 'False', reason: 'NothingToDo' },
      { ...condition, type: 'Ready' },
    ];
    const appliedResource = { apiVersion: 'batch/v1', kind: 'Job', namespace: 'x', name: 'build-x7k2p' };
    const lastTrigger = new Date(Date.now() - 90_000).toISOString();
    const status = { triggerCount: 3, lastTrigger, branch: 'refs/heads/main', appliedResource, conditions };
    await api('PATCH', `${path}/status`, { status });
    const { cells, narrow } = await tableOf(path);
    assert.deepEqual(narrow, ['Name', 'Repository', 'Trigger Count', 'Last Trigger', 'Age']);
    const { 'Last Trigger': trigger, Age: age, ...others } = cells;
    assert.match(String(trigger), /^(90|9\d|1\d\d)s$/);
    assert.match(String(age), /^\d+s$/);
    assert.deepEqual(others, {
      ...{ Name: 'app', Repository: 'https://github.com/acme/app.git', 'Trigger Count': 3, Ready: 'True' },
      ...{ Branch: 'refs/heads/main', Resource: 'build-x7k2p', Reason: 'Listening', Message: condition.message },
    });
  });

  it('shows of a run where it stands and why, and with -o wide whose it is and the sentence', async (t) => {
    const { run: path } = await store(t);
    const resource = { apiVersion: 'batch/v1', kind: 'Job', name: 'build-x7k2p' };
    const standing = { phase: 'Failed', reason: 'BackoffLimitExceeded', message: 'The Job failed.' };
    await api('PATCH', `${path}/status`, { status: { ...standing, resource } });
    const { cells, narrow } = await tableOf(path);
    assert.deepEqual(narrow, ['Name', 'GitHook', 'Branch', 'Commit', 'Phase', 'Reason', 'Resource', 'Age']);
    const { Age: age, ...others } = cells;
    assert.match(String(age), /^\d+s$/);
    assert.deepEqual(others, {
      ...{ Name: run.metadata.name, GitHook: 'app', Branch: 'refs/heads/main', Commit: commit, Phase: 'Failed' },
      ...{ Reason: 'BackoffLimitExceeded', Resource: 'build-x7k2p' },
      ...{ Author: 'Ada Lovelace', Message: 'The Job failed.' },
    });
  });

  it('knows the short names gh and ghr, and both kinds as the category kube-git', async () => {
    const { resources } = await api<{ resources: { name: string; shortNames?: string[]; categories?: string[] }[] }>(
      'GET',
      group,
    );
    const names = resources
      .filter(({ name }) => !name.includes('/'))
      .map(({ name, shortNames, categories }) => [name, shortNames, categories]);
    assert.deepEqual(names.sort(), [
      ['githookruns', ['ghr'], ['kube-git']],
      ['githooks', ['gh'], ['kube-git']],
    ]);
  });
});
