// Argo Workflows from outside, on a control plane of their own because their type is the whole cluster's. No workflow
// controller runs here: the tests write the status it would write.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { load, loadAll } from 'js-yaml';
import type { GitHook } from '../../src/api/githook.ts';
import type { KubeObject } from '../../src/api/object.ts';
import { at } from '../../src/resource/mapping.ts';
import { annotate } from '../env/by-hand.ts';
import { api, startOwnControlPlane, testCluster, testNamespace } from '../env/cluster.ts';
import { installCrds } from '../env/crds.ts';
import { jobManifest, type Scenario, startScenario } from '../env/scenario.ts';
import { waitFor } from '../env/wait.ts';

const root = join(import.meta.dirname, '../..');
const workflowType = '/apis/argoproj.io/v1alpha1';
const crd = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/workflows.argoproj.io';
const rbac = '/apis/rbac.authorization.k8s.io/v1';
const month = 2_592_000;
/** A reflector that found nothing may wait half a minute before it looks again. */
const noticedWithinMs = 90_000;

const read = (path: string): Promise<string> => readFile(join(root, path), 'utf8');

async function installArgo(): Promise<void> {
  await installCrds(testCluster(), join(import.meta.dirname, 'testdata/argo'));
}

/** The GitHook of the examples, but for its repository. */
async function exampleGitHook(s: Scenario): Promise<void> {
  const { spec } = load(await read('examples/githook-workflow.yaml')) as GitHook;
  await s.gitHook('app', { ...spec, repository: s.repository.url });
}

async function workflowsIn({ namespace }: Scenario): Promise<readonly KubeObject[]> {
  const { items } = await api<{ items: KubeObject[] }>('GET', `${workflowType}/namespaces/${namespace}/workflows`);
  return items;
}

/** What the workflow controller does: the type has no status subresource. */
async function change(s: Scenario, name: string, patch: object): Promise<void> {
  await api('PATCH', `${workflowType}/namespaces/${s.namespace}/workflows/${name}`, patch);
}

/** Pushes the example; the run and the Workflow once it is there. */
async function pushed(s: Scenario, branch = 'main') {
  const commit = await s.push({ 'ci/workflow.yaml': await read('examples/workflow.yaml') }, branch);
  const run = await s.untilRun(commit, ({ status }) => status?.phase === 'Running', 'Running');
  const name = run.status?.resource?.name ?? '';
  return { commit, run, name };
}

// Every test below finds its cluster through this variable, which is this file's own: each file is a process of its own.
const endings: (() => unknown)[] = [];
before(async () => {
  const plane = await startOwnControlPlane({ after: (end) => endings.push(end) });
  await installCrds(plane, join(root, 'install/crds'));
  process.env['KUBEGIT_TEST_KUBECONFIG'] = plane.kubeconfig;
});
after(async () => {
  for (const end of endings) await end();
});

describe('a cluster without Argo Workflows', () => {
  it('runs Jobs; a Workflow says how to install it, and the next push runs once it is installed', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app', { manifest: 'job.yaml' });
    const first = await s.push({ 'job.yaml': jobManifest });
    await s.untilRun(first, ({ status }) => status?.phase === 'Running', 'Running');
    const second = await s.push({ 'job.yaml': await read('examples/workflow.yaml') }, 'argo');
    const failed = await s.untilRun(second, ({ status }) => status?.phase === 'Failed', 'Failed');
    assert.equal(failed.status?.reason, 'KindNotInstalled');
    assert.match(
      failed.status?.message ?? '',
      /does not know argoproj.io.v1alpha1 Workflow.*kubectl apply.*Helm chart.*push again/,
    );
    await waitFor(() => s.forge.statuses.some(({ state }) => state === 'error'), { what: 'the trouble to be told' });
    const told = s.kubeGit.lines.filter(({ plural }) => plural === 'workflows');
    assert.deepEqual(
      told.map(({ msg }) => msg),
      ['not installed in this cluster, looked for again and again'],
    );

    await installArgo();
    const third = await s.push({ 'job.yaml': await read('examples/workflow.yaml'), README: 'again' }, 'argo');
    const running = await s.untilRun(third, ({ status }) => status?.phase === 'Running', 'Running');
    await change(s, running.status?.resource?.name ?? '', { status: { phase: 'Succeeded' } });
    await waitFor(async () => (await s.untilRun(third, () => true, 'there')).status?.phase === 'Succeeded', {
      what: 'the end to be noticed',
      deadlineMs: noticedWithinMs,
      everyMs: 200,
    });
    assert.equal((await workflowsIn(s)).length, 1);
  });
});

describe('a Workflow', () => {
  before(async () => {
    await api('GET', crd).catch(installArgo);
  });

  it('of the examples gets commit and full ref, is followed to its end and gets its clean-up time back', async (t) => {
    const s = await startScenario(t);
    await exampleGitHook(s);
    const { commit, run, name } = await pushed(s, 'feature/$(id)');
    assert.deepEqual(run.status?.resource?.apiVersion, 'argoproj.io/v1alpha1');
    const [live] = await workflowsIn(s);
    const parameters = at(live, 'spec', 'arguments', 'parameters');
    assert.deepEqual(parameters, [
      { name: 'revision', value: commit },
      { name: 'branch', value: 'refs/heads/feature/$(id)' },
    ]);
    assert.equal(at(live, 'spec', 'ttlStrategy', 'secondsAfterSuccess'), month);
    assert.equal(live?.metadata.annotations?.['kubegit.appspero.com/branch'], 'refs/heads/feature/$(id)');

    await change(s, name, { status: { phase: 'Running' } });
    await s.untilRun(commit, ({ status }) => status?.reason === 'Running', 'Running/Running');
    const node = { displayName: 'approve', type: 'Suspend', phase: 'Running' };
    await change(s, name, { status: { nodes: { a: node } } });
    await s.untilRun(commit, ({ status }) => /at "approve"/.test(status?.message ?? ''), 'suspended at a step');
    await change(s, name, { status: { phase: 'Succeeded', finishedAt: '2026-11-22T16:00:00Z' } });
    const ended = await s.untilRun(commit, ({ status }) => status?.handedBack === true, 'handed back');
    assert.equal(ended.status?.phase, 'Succeeded');
    assert.equal(ended.status?.completionTime, '2026-11-22T16:00:00Z');
    const [left] = await workflowsIn(s);
    assert.deepEqual(at(left, 'spec', 'ttlStrategy'), { secondsAfterCompletion: 3600 });
    await waitFor(() => s.forge.statuses.at(-1)?.state === 'success', { what: 'the success to be told' });
  });

  for (const { what, end, reason } of [
    { what: 'fails', end: { status: { phase: 'Failed', message: "child 'x' failed" } }, reason: 'Failed' },
    { what: 'ends in an error', end: { status: { phase: 'Error', message: 'no such template' } }, reason: 'Error' },
    {
      what: 'is terminated',
      end: {
        spec: { shutdown: 'Terminate' },
        status: { phase: 'Failed', message: "Stopped with strategy 'Terminate'" },
      },
      reason: 'Terminated',
    },
  ]) {
    it(`that ${what} ends its run as Failed/${reason}, with Argo's message`, async (t) => {
      const s = await startScenario(t);
      await exampleGitHook(s);
      const { commit, name } = await pushed(s);
      await change(s, name, end);
      const run = await s.untilRun(commit, ({ status }) => status?.phase === 'Failed', 'Failed');
      assert.equal(run.status?.reason, reason);
      assert.ok(run.status?.message?.includes(`Argo says: ${end.status.message}`), run.status?.message);
      await waitFor(() => s.forge.statuses.at(-1)?.state === 'failure', { what: 'the failure to be told' });
    });
  }

  it('whose run is cancelled is terminated, and never counts as a success', async (t) => {
    const s = await startScenario(t);
    await exampleGitHook(s);
    const { commit, run, name } = await pushed(s);
    await change(s, name, { spec: { suspend: true }, status: { phase: 'Pending' } });
    await annotate(s.namespace, 'githookruns', run.metadata.name, { 'kubegit.appspero.com/cancel': '' });
    const isTerminated = async (): Promise<boolean> => {
      const [live] = await workflowsIn(s);
      return at(live, 'spec', 'shutdown') === 'Terminate' && at(live, 'spec', 'suspend') === false;
    };
    await waitFor(isTerminated, { what: 'the Workflow to be terminated', deadlineMs: 30_000 });
    await s.untilRun(commit, ({ status }) => status?.reason === 'Cancelling', 'Cancelling');
    // What Argo makes of one that waited for a lock.
    await change(s, name, { status: { phase: 'Succeeded' } });
    await s.untilRun(commit, ({ status }) => status?.reason === 'Cancelled', 'Cancelled');
    await waitFor(() => s.forge.statuses.at(-1)?.state === 'error', { what: 'the error to be told' });
  });

  it('that is deleted ends its run as Failed/ResourceDeleted and is not created again', async (t) => {
    const s = await startScenario(t);
    await exampleGitHook(s);
    const { commit, name } = await pushed(s);
    await api('DELETE', `${workflowType}/namespaces/${s.namespace}/workflows/${name}`);
    const run = await s.untilRun(commit, ({ status }) => status?.phase === 'Failed', 'Failed');
    assert.equal(run.status?.reason, 'ResourceDeleted');
    assert.deepEqual(await workflowsIn(s), []);
  });

  it('of the examples has a ServiceAccount that may report results, and nothing else', async (t) => {
    const namespace = await testNamespace(t);
    const paths: Readonly<Record<string, string>> = { ServiceAccount: '/api/v1', RoleBinding: rbac, Role: rbac };
    for (const object of loadAll(await read('examples/workflow-account.yaml')) as KubeObject[]) {
      const path = `${paths[object.kind]}/namespaces/${namespace}/${object.kind.toLowerCase()}s?fieldValidation=Strict`;
      await api('POST', path, object);
    }
    const user = `system:serviceaccount:${namespace}:argo-workflow`;
    const allows = async (verb: string, resource: string): Promise<boolean> => {
      const resourceAttributes = { namespace, verb, resource, group: 'argoproj.io' };
      const review = { spec: { user, resourceAttributes } };
      return (
        at(await api('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', review), 'status', 'allowed') ===
        true
      );
    };
    assert.equal(await allows('create', 'workflowtaskresults'), true);
    assert.equal(await allows('patch', 'workflowtaskresults'), true);
    assert.equal(await allows('create', 'workflows'), false);
  });

  it('gets a branch with braces as its parameter, as it is called', async (t) => {
    const s = await startScenario(t);
    await exampleGitHook(s);
    const files = { 'ci/workflow.yaml': await read('examples/workflow.yaml') };
    const commit = await s.push(files, '{{workflow.name}}');
    await s.untilRun(commit, ({ status }) => status?.phase === 'Running', 'Running');
    const [workflow] = await workflowsIn(s);
    const parameters = at(workflow, 'spec', 'arguments', 'parameters') as readonly { readonly value: string }[];
    assert.ok(parameters.some(({ value }) => value === 'refs/heads/{{workflow.name}}'));
  });
});
