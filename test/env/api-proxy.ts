// A fault proxy before the API server of the test run, for kube-git's option `master`, and what to ask of its log.
import { type TestContext, testCluster } from './cluster.ts';
import { type FaultProxy, type ProxiedRequest, startProxy } from './proxy.ts';

export async function startApiProxy(t: TestContext): Promise<FaultProxy> {
  const { server, ca } = testCluster();
  const proxy = await startProxy({ target: new URL(server), ...(ca === '' ? {} : { ca }) });
  t.after(() => proxy.close());
  return proxy;
}

/** Creates a Job. */
export function isJobCreate({ method, path }: Pick<ProxiedRequest, 'method' | 'path'>): boolean {
  return method === 'POST' && path.endsWith('/jobs');
}

/** How many Jobs were ever created. */
export function jobsCreated(proxy: FaultProxy): number {
  return proxy.log.filter((entry) => isJobCreate(entry) && entry.status === 201).length;
}
