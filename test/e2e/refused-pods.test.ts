// A Job that is there and gets no pods: the run says so in the API server's words, and no longer once they come.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GitHookRun } from '../../src/api/githookrun.ts';
import type { KubeObject } from '../../src/api/object.ts';
import { api, testCluster } from '../env/cluster.ts';
import { jobManifest, type Scenario, startScenario } from '../env/scenario.ts';
import { waitFor } from '../env/wait.ts';

const skip = testCluster().controllers ? false : 'there is no controller manager';
const policies = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies';

interface Refusal {
  readonly name: string;
  readonly message: RegExp;
  /** Has pods refused in the namespace; returns how to allow them. */
  refuse(s: Scenario): Promise<() => Promise<unknown>>;
}

const refusals: readonly Refusal[] = [
  {
    name: 'a quota',
    message:
      /: pods "build-\w+-…" is forbidden: exceeded quota: none, requested: pods=1, used: pods=0, limited: pods=0\.$/,
    refuse: async (s) => {
      await createQuota(s, { pods: '0' });
      return () => api('DELETE', `/api/v1/namespaces/${s.namespace}/resourcequotas/none`);
    },
  },
  {
    name: 'Pod Security',
    message:
      /: pods "build-\w+-…" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false .*seccompProfile/,
    refuse: async (s) => {
      await labelNamespace(s, { 'pod-security.kubernetes.io/enforce': 'restricted' });
      return () => labelNamespace(s, { 'pod-security.kubernetes.io/enforce': null });
    },
  },
  {
    name: 'an admission policy',
    message:
      /: pods "build-\w+-…" is forbidden: ValidatingAdmissionPolicy 'test-\w+' with binding 'test-\w+' denied request: no busybox here\.$/,
    refuse: async (s) => {
      await createPolicy(s.namespace);
      return async () => {
        await api('DELETE', `${policies.replace('policies', 'policybindings')}/${s.namespace}`);
        await api('DELETE', `${policies}/${s.namespace}`);
      };
    },
  },
];

async function createQuota(s: Scenario, hard: Readonly<Record<string, string>>): Promise<void> {
  const path = `/api/v1/namespaces/${s.namespace}/resourcequotas`;
  await api('POST', path, { metadata: { name: 'none' }, spec: { hard } });
  const counted = async () =>
    (await api<KubeObject & { status?: { used?: object } }>('GET', `${path}/none`)).status?.used;
  await waitFor(counted, { what: 'the quota to be counted' });
}

function labelNamespace(s: Scenario, labels: Readonly<Record<string, string | null>>): Promise<unknown> {
  return api('PATCH', `/api/v1/namespaces/${s.namespace}`, { metadata: { labels } });
}

/** Refuses pods in this namespace, and lets it be known when it does. */
async function createPolicy(namespace: string): Promise<void> {
  const resourceRules = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }];
  const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': namespace } };
  await api('POST', policies, {
    metadata: { name: namespace },
    spec: {
      matchConstraints: { resourceRules, namespaceSelector },
      validations: [{ expression: 'false', message: 'no busybox here' }],
    },
  });
  await api('POST', policies.replace('policies', 'policybindings'), {
    metadata: { name: namespace },
    spec: { policyName: namespace, validationActions: ['Deny'] },
  });
  const pod = { metadata: { name: 'probe' }, spec: { containers: [{ name: 'x', image: 'x' }] } };
  const refused = () =>
    api('POST', `/api/v1/namespaces/${namespace}/pods?dryRun=All`, pod).then(
      () => false,
      () => true,
    );
  await waitFor(refused, { what: 'the policy to hold', deadlineMs: 30_000 });
}

const isRefused = ({ status }: GitHookRun): boolean => status?.reason === 'PodsRefused';

describe('a Job whose pods are refused', { skip }, () => {
  for (const { name, message, refuse } of refusals) {
    it(`by ${name} says so on its run, and no longer when they come`, async (t) => {
      const s = await startScenario(t);
      await s.gitHook('app');
      const allow = await refuse(s);
      const commit = await s.push({ 'job.yaml': jobManifest });
      const refused = await s.untilRun(commit, isRefused, 'PodsRefused');
      assert.equal(refused.status?.phase, 'Running');
      assert.match(refused.status?.message ?? '', message);
      await allow();
      await s.untilRun(commit, ({ status }) => status?.reason === 'Running', 'Running');
      await s.endJob(refused.status?.resource?.name ?? '', 'Succeeded');
      await s.untilRun(commit, ({ status }) => status?.phase === 'Succeeded', 'Succeeded');
    });
  }

  it('for want of their ServiceAccount says so', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app');
    const manifest = jobManifest.replace(
      '      restartPolicy',
      '      serviceAccountName: nobody\n      restartPolicy',
    );
    const commit = await s.push({ 'job.yaml': manifest });
    const refused = await s.untilRun(commit, isRefused, 'PodsRefused');
    assert.match(refused.status?.message ?? '', /serviceaccount "nobody" not found/);
  });
});

describe('a Job that is refused', { skip }, () => {
  it('by a quota ends its run as Forbidden, in the API server’s words', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app');
    await createQuota(s, { 'count/jobs.batch': '0' });
    const commit = await s.push({ 'job.yaml': jobManifest });
    const run = await s.untilRun(commit, ({ status }) => status?.phase === 'Failed', 'Failed');
    assert.equal(run.status?.reason, 'Forbidden');
    assert.match(run.status?.message ?? '', /exceeded quota: none, requested: count\/jobs\.batch=1/);
  });

  it('by an admission webhook that is away waits, says so, and runs when that is back', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app');
    const allow = await breakWebhook(s);
    t.after(allow);
    const commit = await s.push({ 'job.yaml': jobManifest });
    const waiting = await s.untilRun(commit, ({ status }) => status?.reason === 'CreateFailed', 'CreateFailed');
    assert.equal(waiting.status?.phase, 'Creating');
    const words = /^The API server could not create Job build-\w+: .*failed calling webhook "away\.example\.com"/;
    assert.match(waiting.status?.message ?? '', words);
    await allow();
    await s.untilRun(commit, ({ status }) => status?.phase === 'Running', 'Running');
    assert.equal((await s.jobs()).length, 1);
  });
});

/** Has a webhook that nobody answers asked about each Job of the namespace; returns how to end that. */
async function breakWebhook({ namespace }: Scenario): Promise<() => Promise<unknown>> {
  const configurations = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
  const rules = [{ apiGroups: ['batch'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['jobs'] }];
  const webhook = {
    ...{ name: 'away.example.com', rules, sideEffects: 'None', admissionReviewVersions: ['v1'] },
    clientConfig: { url: 'https://127.0.0.1:1/' },
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
  };
  await api('POST', configurations, { metadata: { name: namespace }, webhooks: [webhook] });
  const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'x', image: 'x' }] } };
  const isAsked = (): Promise<boolean> =>
    api('POST', `/apis/batch/v1/namespaces/${namespace}/jobs?dryRun=All`, {
      metadata: { name: 'probe' },
      spec: { template },
    }).then(
      () => false,
      (error) => error.message.includes('failed calling webhook'),
    );
  await waitFor(isAsked, { what: 'the webhook to be asked', deadlineMs: 30_000 });
  return () => api('DELETE', `${configurations}/${namespace}`).catch(() => undefined);
}
