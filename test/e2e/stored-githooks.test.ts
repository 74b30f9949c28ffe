// GitHooks that the CRD of 2019 let in and ours would not: what docs/migration.md says of stored ones.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { GitHook } from '../../src/api/githook.ts';
import type { GitHookRun } from '../../src/api/githookrun.ts';
import { api } from '../env/cluster.ts';
import { type Installation, installOriginal, startInstallation } from '../env/installation.ts';
import { jobManifest, type Scenario, startScenario } from '../env/scenario.ts';
import { waitFor } from '../env/wait.ts';

/** Where installOriginal puts the GitHook of 2019. */
const path = '/apis/kubegit.appspero.com/v1alpha1/namespaces/ci';
const unnamed = { name: '', key: '' };

let installation: Installation;
before(async () => {
  installation = await startInstallation();
  await installOriginal(installation);
});
after(() => installation?.stop());

async function put(name: string, spec: object): Promise<void> {
  const type = { apiVersion: 'kubegit.appspero.com/v1alpha1', kind: 'GitHook' };
  await api('POST', `${path}/githooks`, { ...type, metadata: { name }, spec });
}

async function untilReason(name: string, reason: string): Promise<string> {
  const find = async () => {
    const { status } = await api<GitHook>('GET', `${path}/githooks/${name}`);
    return status?.conditions?.find((one) => one.type === 'Ready' && one.reason === reason);
  };
  const { status, message = '' } = await waitFor(find, { what: `${name} to be ${reason}`, deadlineMs: 30_000 });
  assert.equal(status, 'False');
  return message;
}

async function untilCounted(name: string, count: number): Promise<void> {
  const isThere = async () => (await api<GitHook>('GET', `${path}/githooks/${name}`)).status?.triggerCount === count;
  await waitFor(isThere, { what: `${name} to count ${count}`, deadlineMs: 30_000 });
}

/** Kept by the CRD of 2019 before ours comes. */
async function store({ repository }: Scenario): Promise<void> {
  const base = { repository: repository.url, branches: ['*'], manifest: 'job.yaml' };
  await put('no-branches', { ...base, branches: [] });
  await put('password', { ...base, repository: repository.url.replace('://', '://ada:canary@') });
  await put('dots', { ...base, manifest: 'ci/../job.yaml' });
  // As the Go type of 2019 is written: it leaves no field out.
  const secrets = { usernameSecret: unnamed, passwordSecret: unnamed, sshPrivateKeySecret: unnamed };
  await put('go', { ...base, ...secrets, notification: { github: '', slack: '' }, argoWorkflow: null });
  await api('PATCH', `${path}/githooks/go/status`, { status: { triggerCount: 41 } });
}

describe('a GitHook that is stored', () => {
  it('runs as it did, or says what to change; it counts on, and its password is not shown', async (t) => {
    const s = await startScenario(t, { args: ['-namespace', 'ci'], early: true });
    await store(s);
    await installation.shell('kubectl apply -k install/crds');
    assert.match(await untilReason('no-branches', 'NoBranches'), /spec\.branches is empty.*"\*"/);
    await untilCounted('go', 41);
    await s.push({ 'job.yaml': jobManifest });
    await untilCounted('go', 42);
    assert.match(await untilReason('password', 'InvalidRepository'), /"http:\/\/\*\*\*@127\.0\.0\.1/);
    assert.match(await untilReason('dots', 'InvalidPath'), /contains "\.\."/);
    const { items } = await api<{ items: GitHookRun[] }>('GET', `${path}/githookruns`);
    assert.ok(!items.some(({ spec }) => spec.gitHookRef.name === 'no-branches'));
    assert.doesNotMatch(`${s.kubeGit.output()}${JSON.stringify(items.map(({ status }) => status))}`, /canary/);
  });
});
