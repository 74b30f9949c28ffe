// The cluster of a test run, as a test sees it: one control plane for all, a namespace for each test.
// `npm test` starts it; a test that must stop or restart an API server starts its own.
import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { ApiError, type ApiServer, callApi } from './api.ts';
import { type ControlPlane, type ControlPlaneOptions, startControlPlane } from './control-plane.ts';

export { ApiError };

/** What a test's context offers to end what was begun. */
export interface TestContext {
  after(fn: () => unknown): void;
}

export interface TestCluster extends ApiServer {
  /** Path of the admin's kubeconfig. */
  readonly kubeconfig: string;
  /** Whether a controller manager runs: garbage collection and Jobs. Not where KUBEBUILDER_ASSETS has none. */
  readonly controllers: boolean;
}

/** Only what we and the usual generators of such files write. */
interface Kubeconfig {
  readonly clusters: readonly { cluster: { server: string; 'certificate-authority-data'?: string } }[];
  readonly users: readonly { user: { token: string } }[];
}

/** The cluster of this run; its CRDs are installed. Throws where the test was not started by `npm test`. */
export function testCluster(env: NodeJS.ProcessEnv = process.env): TestCluster {
  const kubeconfig = env['KUBEGIT_TEST_KUBECONFIG'];
  if (!kubeconfig) {
    throw new Error(
      'KUBEGIT_TEST_KUBECONFIG is not set: start tests with npm test -- FILE, which starts a cluster for them.',
    );
  }
  const { clusters, users } = load(readFileSync(kubeconfig, 'utf8')) as Kubeconfig;
  const [cluster, user] = [clusters[0]?.cluster, users[0]?.user];
  if (cluster === undefined || !user?.token) throw new Error(`${kubeconfig} must name one cluster and one token.`);
  const ca = Buffer.from(cluster['certificate-authority-data'] ?? '', 'base64').toString();
  const controllers = env['KUBEGIT_TEST_CONTROLLERS'] === 'true';
  return { server: cluster.server, token: user.token, ca, kubeconfig, controllers };
}

/** One request to the cluster of this run, as its admin: the answer parsed; throws ApiError from status 400 on. */
export function api<T>(method: string, path: string, body?: unknown, contentType?: string): Promise<T> {
  return callApi(testCluster(), method, path, { body, ...(contentType === undefined ? {} : { contentType }) });
}

/** A fresh namespace, deleted (not waited for) after the test; the test may have deleted it. */
export async function testNamespace(t: TestContext): Promise<string> {
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { generateName: 'test-' } };
  const { metadata } = await api<{ metadata: { name: string } }>('POST', '/api/v1/namespaces', body);
  t.after(() => deleteNamespace(metadata.name));
  return metadata.name;
}

/** One that has gone is no error: what throws in an after hook keeps the hooks before it from ending what they started. */
async function deleteNamespace(name: string): Promise<void> {
  await api('DELETE', `/api/v1/namespaces/${name}`).catch((error: unknown) => {
    if (!(error instanceof ApiError && error.status === 404)) throw error;
  });
}

/** A control plane of the test's own, gone after it: for tests that stop, restart or break it. Takes about 5 s. */
export async function startOwnControlPlane(t: TestContext, options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const plane = await startControlPlane(options);
  t.after(() => plane.stop());
  return plane;
}
