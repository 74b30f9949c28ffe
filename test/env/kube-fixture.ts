// For tests of src/kube: a client that reaches the test cluster through a fault proxy, in a namespace of its own, and a
// way to look past both.
import { type Clock, systemClock } from '../../src/clock.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { fixedCredentials } from '../../src/kube/credentials.ts';
import type { ResourceType, StoredObject } from '../../src/kube/kube.ts';
import { callApi } from './api.ts';
import { type TestContext, testCluster, testNamespace } from './cluster.ts';
import { type FaultProxy, type LogEntry, startProxy } from './proxy.ts';

export interface ConfigMap extends StoredObject {
  readonly metadata: StoredObject['metadata'] & { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
}

export const configMaps: ResourceType = { group: '', version: 'v1', plural: 'configmaps' };

export interface KubeFixture {
  readonly client: KubeClient;
  readonly proxy: FaultProxy;
  readonly namespace: string;
  /** What the client reported to its metrics, as "list 200". */
  readonly reported: readonly string[];
  /** A direct request, past proxy and client; the path is within the namespace, as configmaps/x. */
  api<T>(method: string, path: string, body?: unknown): Promise<T>;
  /** Makes the ConfigMap, or changes it. */
  put(name: string, value: string): Promise<ConfigMap>;
  remove(name: string): Promise<void>;
  /** What a fresh list says, as name=value. */
  truth(): Promise<string[]>;
}

export async function kubeFixture(
  t: TestContext,
  options: { clock?: Clock; timeoutMs?: number } = {},
): Promise<KubeFixture> {
  const cluster = testCluster();
  const namespace = await testNamespace(t);
  const proxy = await startProxy({ target: new URL(cluster.server), ...(cluster.ca === '' ? {} : { ca: cluster.ca }) });
  const reported: string[] = [];
  const client = new KubeClient({
    server: { url: new URL(proxy.url) },
    credentials: fixedCredentials({ token: cluster.token }),
    version: '0-test',
    random: () => 0.5,
    clock: options.clock ?? systemClock,
    onRequest: (verb, code) => reported.push(`${verb} ${code}`),
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
  });
  t.after(async () => {
    client.close();
    await proxy.close();
  });
  const api = <T>(method: string, path: string, body?: unknown): Promise<T> =>
    callApi<T>(cluster, method, `/api/v1/namespaces/${namespace}/${path}`, { body });
  return {
    client,
    proxy,
    namespace,
    reported,
    api,
    put: async (name, value) => {
      const body = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name, labels: { test: 'kube' } },
        data: { value },
      };
      const exists = (await truth(api)).some((line) => line.startsWith(`${name}=`));
      return exists ? api('PUT', `configmaps/${name}`, body) : api('POST', 'configmaps', body);
    },
    remove: async (name) => {
      await api('DELETE', `configmaps/${name}`);
    },
    truth: () => truth(api),
  };
}

/** ConfigMaps as name=value, sorted; not those that every namespace gets. */
export function lines(objects: readonly ConfigMap[]): string[] {
  return objects
    .filter(({ metadata }) => metadata.labels?.['test'] === 'kube')
    .map(({ metadata, data }) => `${metadata.name}=${data?.['value'] ?? ''}`)
    .sort();
}

async function truth(api: KubeFixture['api']): Promise<string[]> {
  return lines((await api<{ items: ConfigMap[] }>('GET', 'configmaps')).items);
}

/** The requests in a proxy's log as "GET configmaps" or "WATCH configmaps", in their order. */
export function summary(log: readonly LogEntry[]): string[] {
  return log.map(({ method, path, query }) => {
    const verb = query.get('watch') === 'true' ? 'WATCH' : method;
    return `${verb} ${path.replace(/^.*\/namespaces\/[^/]+\//, '')}`;
  });
}
