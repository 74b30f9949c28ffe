// The receiver as main wires it, on the cluster of the test run, in a namespace of the test's own, with signed requests to
// it. Its calls about runs go through the fault proxy; its GitHooks and Events do not, so that a rule hits only the former.
import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { GitHook, GitHookSpec } from '../../src/api/githook.ts';
import type { GitHookRun } from '../../src/api/githookrun.ts';
import { repositoryOf } from '../../src/api/repository.ts';
import { type Clock, systemClock } from '../../src/clock.ts';
import { forges } from '../../src/forge/registry.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { loadKubeConfig } from '../../src/kube/kubeconfig.ts';
import { createRecorder } from '../../src/kube/recorder.ts';
import { Reflector, type Store } from '../../src/kube/reflector.ts';
import { createLog } from '../../src/log.ts';
import { createMetrics, type Metrics } from '../../src/metrics.ts';
import type { Limits } from '../../src/receiver/limits.ts';
import type { Outcome } from '../../src/receiver/outcome.ts';
import { createReceiver } from '../../src/receiver/server.ts';
import { api, type TestContext, testCluster, testNamespace } from './cluster.ts';
import { type FaultProxy, startProxy } from './proxy.ts';
import { waitFor } from './wait.ts';

const program = join(import.meta.dirname, '../../src/main.ts');
const group = '/apis/kubegit.appspero.com/v1alpha1';

export interface TestReceiverOptions {
  readonly limits?: Partial<Limits>;
  readonly secrets?: readonly string[];
  /** What the receiver's clock says, in milliseconds since 1970. */
  readonly nowMs?: number;
  /** The watch of GitHooks shows none and has been silent for so long. */
  readonly blindForMs?: number;
}

export interface Sent {
  readonly status: number;
  readonly headers: Headers;
  readonly outcome: Outcome;
}

/** What is sent; the rest is as GitHub has it. */
export interface TestDelivery {
  readonly payload?: unknown;
  readonly body?: string;
  readonly event?: string;
  readonly id?: string;
  readonly hookId?: string;
  readonly secret?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export const testSecret = 'the secret of the test webhook';

export class TestReceiver {
  readonly namespace: string;
  readonly url: string;
  readonly proxy: FaultProxy;
  readonly metrics: Metrics;
  readonly #store: Reflector<GitHook>;
  readonly #afterwards: (fn: () => unknown) => void;

  /** As Receiver.close; at the end of the test it happens by itself. */
  readonly close: () => Promise<void>;

  constructor(
    parts: Pick<TestReceiver, 'namespace' | 'url' | 'proxy' | 'metrics' | 'close'>,
    store: Reflector<GitHook>,
    t: TestContext,
  ) {
    this.namespace = parts.namespace;
    this.url = parts.url;
    this.proxy = parts.proxy;
    this.metrics = parts.metrics;
    this.close = parts.close;
    this.#store = store;
    this.#afterwards = (fn) => t.after(fn);
  }

  /** Creates a GitHook and waits until the receiver knows it. */
  async addGitHook(name: string, spec: Partial<GitHookSpec> & { readonly repository: string }): Promise<GitHook> {
    const full = { branches: ['*'], manifest: 'ci/job.yaml', ...spec };
    const body = { apiVersion: group.slice(6), kind: 'GitHook', metadata: { name }, spec: full };
    const gitHook = await api<GitHook>('POST', `${group}/namespaces/${this.namespace}/githooks`, body);
    await waitFor(() => this.#store.get(`${this.namespace}/${name}`), { what: `GitHook ${name} in the store` });
    return gitHook;
  }

  /** Deletes a GitHook that a finalizer keeps until the end of the test, and waits until the receiver knows. */
  async deleteGitHookSlowly(name: string): Promise<void> {
    const path = `${group}/namespaces/${this.namespace}/githooks/${name}`;
    const setFinalizers = (finalizers: readonly string[]) => api('PATCH', path, { metadata: { finalizers } });
    await setFinalizers(['example.com/keep']);
    await api('DELETE', path);
    const key = `${this.namespace}/${name}`;
    await waitFor(() => this.#store.get(key)?.metadata.deletionTimestamp !== undefined, { what: 'the deletion' });
    this.#afterwards(() => setFinalizers([]));
  }

  async send(delivery: TestDelivery): Promise<Sent> {
    const body = delivery.body ?? JSON.stringify(delivery.payload);
    const signature = createHmac('sha256', delivery.secret ?? testSecret)
      .update(body)
      .digest('hex');
    const answer = await fetch(`${this.url}/github`, {
      method: 'POST',
      body,
      headers: {
        'content-type': 'application/json',
        'x-github-event': delivery.event ?? 'push',
        'x-github-delivery': delivery.id ?? randomUUID(),
        'x-github-hook-id': delivery.hookId ?? '1',
        'x-hub-signature-256': `sha256=${signature}`,
        ...delivery.headers,
      },
    });
    return { status: answer.status, headers: answer.headers, outcome: (await answer.json()) as Outcome };
  }

  async runs(): Promise<readonly GitHookRun[]> {
    const { items } = await api<{ items: GitHookRun[] }>('GET', `${group}/namespaces/${this.namespace}/githookruns`);
    return items;
  }

  /** The namespace has no more room for runs, as soon as the API server notices. */
  async exhaustRunQuota(): Promise<void> {
    const path = `/api/v1/namespaces/${this.namespace}/resourcequotas`;
    const hard = { 'count/githookruns.kubegit.appspero.com': '0' };
    const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'none' }, spec: { hard } };
    await api('POST', path, quota);
    // What the controller manager would write, which is not always there.
    await api('PATCH', `${path}/none/status`, { status: { hard, used: hard } });
  }

  /** The Events on a GitHook, as `<type> <reason> <message>`, once there are any. */
  async events(gitHook: string): Promise<readonly string[]> {
    const path = `/api/v1/namespaces/${this.namespace}/events?fieldSelector=involvedObject.name%3D${gitHook}`;
    return waitFor(
      async () => {
        const { items } = await api<{ items: { type: string; reason: string; message: string }[] }>('GET', path);
        return items.length > 0 && items.map(({ type, reason, message }) => `${type} ${reason} ${message}`);
      },
      { what: `an Event on ${gitHook}` },
    );
  }
}

export async function startTestReceiver(t: TestContext, options: TestReceiverOptions = {}): Promise<TestReceiver> {
  const { server, ca, kubeconfig } = testCluster();
  const namespace = await testNamespace(t);
  const log = createLog('error', () => []);
  const clock: Clock = { ...systemClock, now: () => options.nowMs ?? Date.now() };
  const proxy = await startProxy({ target: new URL(server), ...(ca === '' ? {} : { ca }) });
  const direct = new KubeClient(await loadKubeConfig({ kubeconfig, env: {} }));
  const proxied = new KubeClient(await loadKubeConfig({ kubeconfig, master: proxy.url, env: {} }));
  const recorder = createRecorder({ kube: direct, clock, log });
  const type = { group: 'kubegit.appspero.com', version: 'v1alpha1', plural: 'githooks' };
  const store = new Reflector<GitHook>({
    ...{ client: direct, type, namespace, clock, log },
    onChange: () => undefined,
    indexBy: (gitHook) => [repositoryOf(gitHook) ?? ''],
  });
  const stopping = new AbortController();
  const watching = store.run(stopping.signal).catch(() => undefined);

  const metrics = createMetrics();
  const secrets = () => options.secrets ?? [testSecret];
  const limits = options.limits ?? {};
  const gitHooks = options.blindForMs === undefined ? store : blind(options.blindForMs);
  const deps = { program, forges, secrets, gitHooks, kube: proxied, recorder, clock, log, metrics, limits };
  const receiver = createReceiver(deps);
  const { port } = await receiver.listen(0, '127.0.0.1');
  t.after(async () => {
    await receiver.close();
    await recorder.stop();
    stopping.abort();
    await watching;
    direct.close();
    proxied.close();
    await proxy.close();
  });
  await waitFor(() => store.hasSynced(), { what: 'the GitHooks' });
  return new TestReceiver(
    { namespace, url: `http://127.0.0.1:${port}`, proxy, metrics, close: () => receiver.close() },
    store,
    t,
  );
}

function blind(silentMs: number): Store<GitHook> {
  const none = { get: () => undefined, list: () => [], byIndex: () => [] };
  return { ...none, hasSynced: () => true, silentForMs: () => silentMs };
}

export interface TestPush {
  readonly repository?: string;
  readonly ref?: string;
  readonly before?: string;
  readonly after?: string;
  /** Seconds since 1970; default now. */
  readonly pushedAt?: number;
  readonly author?: string;
  readonly message?: string;
}

/** A push event of https://git.example.com/<repository> with the fields kube-git reads, and one that makes the body unique. */
export function pushPayload(push: TestPush = {}) {
  const { repository = 'acme/app', ref = 'refs/heads/main', before = '1'.repeat(40), after = randomId() } = push;
  const author = { name: push.author ?? 'Ada', email: 'ada@example.com' };
  return {
    ref,
    before,
    after,
    deleted: false,
    head_commit: { id: after, message: push.message ?? 'Change it', author },
    repository: {
      clone_url: `https://git.example.com/${repository}.git`,
      ssh_url: `git@git.example.com:${repository}.git`,
      pushed_at: push.pushedAt ?? Math.floor(Date.now() / 1000),
    },
    nonce: randomUUID(),
  };
}

export function randomId(): string {
  return randomBytes(20).toString('hex');
}
