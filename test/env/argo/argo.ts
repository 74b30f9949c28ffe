// A real Argo Workflows on a cluster with a node, for end-to-end tests: its CRDs, its controller and the image it puts
// into pods. The controller is a process of this machine, not a pod, with an administrator's rights.
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ApiError, type ApiServer, callApi } from '../api.ts';
import { builtFolder } from '../build.ts';
import { installCrds } from '../crds.ts';
import { makeDataFolder } from '../data-folder.ts';
import type { NodeCluster } from '../node/cluster-with-node.ts';
import { untilReady } from '../node/program.ts';
import { type RunningProcess, startProcess } from '../processes.ts';
import { executorImage, makeExecutorImage } from './executor-image.ts';
import { argo } from './programs.ts';

/** `minimal`: any field is kept as it is. `full`: the API server knows every field, and drops the others. */
export type ArgoCrds = 'minimal' | 'full';

export interface ArgoOptions {
  readonly cluster: NodeCluster;
  /** Where the controller's settings are; it serves the workflows of all namespaces. Default `argo`. */
  readonly namespace?: string;
  /** Default `minimal`. */
  readonly crds?: ArgoCrds;
  /** Progress, one line at a time. */
  log(line: string): void;
  /** Ends the start early. */
  readonly signal?: AbortSignal;
}

export interface Argo {
  /** The last lines the controller wrote. */
  logTail(lines?: number): string;
  /** Ends the controller. CRDs and workflows stay. */
  stop(): Promise<void>;
}

/**
 * Returns when the controller answers. Builds Argo first where that was not yet done (minutes, told to `log`).
 * Pods of workflows run as a ServiceAccount that may report results: see allowWorkflows.
 */
export async function startArgo({ crds = 'minimal', namespace = 'argo', ...options }: ArgoOptions): Promise<Argo> {
  const { cluster, log, signal } = options;
  const programs = await builtFolder(argo, { env: process.env, output: outputTo(log), signal });
  const begun = performance.now();
  const folder = await makeDataFolder('argo');
  const undo: (() => Promise<void>)[] = [() => rm(folder, { recursive: true, force: true })];
  const stop = async (): Promise<void> => {
    for (const step of undo.splice(0).toReversed()) await step();
  };
  try {
    await installArgoCrds(cluster, crds);
    await configure(cluster, namespace);
    await provideExecutor({ cluster, argoexec: join(programs, 'argoexec'), folder, signal });
    const program = join(programs, 'workflow-controller');
    const controller = await startController({ cluster, program, namespace, logFile: join(folder, 'controller.log') });
    undo.push(() => controller.stop());
    const isReady = async () => (await fetch(healthUrl(cluster))).ok;
    await untilReady(isReady, { what: 'the workflow controller', programs: [controller], signal });
    log(`Argo Workflows is ready after ${((performance.now() - begun) / 1000).toFixed(1)} s`);
    return { logTail: (lines) => controller.logTail(lines), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Installs Argo's CRDs, or replaces those that are there: no workflow is lost by that. */
export async function installArgoCrds(
  cluster: ApiServer,
  crds: ArgoCrds,
  log: (line: string) => void = console.error,
): Promise<void> {
  const programs = await builtFolder(argo, { env: process.env, output: outputTo(log) });
  await installCrds(cluster, join(programs, 'crds', crds));
}

/** Lets pods that run as this ServiceAccount report what their step gave, which every workflow needs. */
export async function allowWorkflows(cluster: ApiServer, namespace: string, account = 'default'): Promise<void> {
  const name = 'argo-executor';
  const rbac = 'rbac.authorization.k8s.io';
  const place = `namespaces/${namespace}`;
  const rules = [{ apiGroups: ['argoproj.io'], resources: ['workflowtaskresults'], verbs: ['create', 'patch'] }];
  await create(cluster, `/api/v1/${place}/serviceaccounts`, { metadata: { name: account } });
  await create(cluster, `/apis/${rbac}/v1/${place}/roles`, { metadata: { name }, rules });
  await create(cluster, `/apis/${rbac}/v1/${place}/rolebindings`, {
    metadata: { name: `${name}-${account}` },
    roleRef: { apiGroup: rbac, kind: 'Role', name },
    subjects: [{ kind: 'ServiceAccount', name: account, namespace }],
  });
}

// A container without `command` runs what its image names, which Argo asks the image's registry for. Nobody answers for
// these here, but all images of the node's own are a shell.
const shell = { cmd: ['sh'] };
// Each value becomes part of one line of YAML, so each is JSON.
const settings = {
  images: JSON.stringify({ busybox: shell, 'busybox:latest': shell, alpine: shell, 'alpine:latest': shell }),
  metricsConfig: JSON.stringify({ enabled: false }),
};

async function configure(cluster: ApiServer, namespace: string): Promise<void> {
  await create(cluster, '/api/v1/namespaces', { metadata: { name: namespace } });
  await create(cluster, `/api/v1/namespaces/${namespace}/configmaps`, {
    metadata: { name: 'workflow-controller-configmap' },
    data: settings,
  });
}

interface ExecutorOptions {
  readonly cluster: NodeCluster;
  readonly argoexec: string;
  readonly folder: string;
  readonly signal: AbortSignal | undefined;
}

async function provideExecutor({ cluster, argoexec, folder, signal }: ExecutorOptions): Promise<void> {
  const work = join(folder, 'image');
  await mkdir(work);
  await cluster.importImage(await makeExecutorImage({ argoexec, busybox: cluster.busybox, folder: work, signal }));
  await rm(work, { recursive: true });
}

interface ControllerOptions {
  readonly cluster: NodeCluster;
  readonly program: string;
  readonly namespace: string;
  readonly logFile: string;
}

/** In the node's network: it listens on fixed ports, on all addresses. */
async function startController({ cluster, program, ...options }: ControllerOptions): Promise<RunningProcess> {
  const image = ['--executor-image', executorImage, '--executor-image-pull-policy', 'IfNotPresent'];
  const place = ['--kubeconfig', cluster.kubeconfig, '--namespace', options.namespace];
  const [file = '', ...args] = cluster.withNodeNetwork([program, ...place, ...image]);
  // Argo looks at a workflow again 10 s after it did something to it, unless told otherwise: two steps would take 20 s.
  const env = { ...process.env, LEADER_ELECTION_DISABLE: 'true', DEFAULT_REQUEUE_TIME: '1s' };
  return startProcess({ name: 'workflow-controller', file, args, env, logFile: options.logFile });
}

/** The port is fixed in the controller; the API server listens on the node's address too. */
function healthUrl({ server }: ApiServer): string {
  return `http://${new URL(server).hostname}:6060/healthz`;
}

/** Leaves alone what is there already. */
async function create(cluster: ApiServer, path: string, body: object): Promise<void> {
  await callApi(cluster, 'POST', path, { body }).catch((error: unknown) => {
    if (!(error instanceof ApiError && error.status === 409)) throw error;
  });
}

function outputTo(log: (line: string) => void): { write(text: string): void } {
  return { write: (text) => log(text.trimEnd()) };
}
