// A whole Kubernetes cluster with one node that runs real pods, for the demo and end-to-end tests: Linux, root. It lives
// in namespaces of its own (sandbox.ts), so it neither sees nor disturbs a Docker or Kubernetes of this machine, and
// several of them may run at the same time. Nothing of it outlives this process (guardian.ts).
import { homedir } from 'node:os';
import { join } from 'node:path';
import { callApi } from '../api.ts';
import { builtProgram } from '../build.ts';
import { type RunningProcess, untilExit } from '../processes.ts';
import { createCgroup } from './cgroups.ts';
import { run } from './command.ts';
import { importImage, startContainerd } from './containerd.ts';
import { startApiServer, startControllers, serverUrl } from './control-programs.ts';
import { startGuardian } from './guardian.ts';
import { makeImages } from './images.ts';
import { type KeyFiles, writeKeyFiles } from './key-files.ts';
import { nodeName, startKubelet } from './kubelet.ts';
import { removeLeftovers } from './leftovers.ts';
import { coverPaths } from './mounts.ts';
import { createNetwork, type Network } from './network.ts';
import { ensureNodePrograms, type NodePrograms } from './packages.ts';
import { untilReady } from './program.ts';
import { startRegistry } from './registry.ts';
import { requireLinuxRoot } from './requirements.ts';
import { createRunFolder, type RunFolder } from './run-folder.ts';
import { type Sandbox, startSandbox } from './sandbox.ts';

export interface NodeClusterOptions {
  /** Progress, one line at a time. */
  log(line: string): void;
  /** Ends the start early: it clears away what there is, then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface NodeCluster {
  /** A file. */
  readonly kubeconfig: string;
  readonly server: string;
  /** Of an administrator. */
  readonly token: string;
  /** PEM. */
  readonly ca: string;
  /** This machine as pods see it: what they are to reach listens on this address, or on all. */
  readonly hostAddress: string;
  /** Its standard output; rejects with what it said on standard error. */
  kubectl(args: readonly string[]): Promise<string>;
  /** Makes the images of a docker-archive or OCI archive known to the node. */
  importImage(archive: string): Promise<void>;
  /** Ends everything and removes every trace. May be called again. */
  stop(): Promise<void>;
}

/**
 * Returns with a Ready node and the images `busybox:latest` and `alpine:latest` (both busybox). Pods reach each other, the
 * API server and this machine, and nothing else; there are no Services and no cluster DNS. Brings missing Debian packages
 * and builds Kubernetes at the first start. Throws SetupError, one sentence for a person, where the machine will not do.
 */
export async function startClusterWithNode({ log, signal }: NodeClusterOptions): Promise<NodeCluster> {
  requireLinuxRoot();
  await removeLeftovers(log);
  const programs = await ensureNodePrograms({ cache: cacheFolder(), log, signal });
  const kubernetes = await builtProgram({ env: process.env, output: { write: (text: string) => log(text.trimEnd()) } });
  log('starting a Kubernetes cluster with one node');
  const begun = performance.now();
  const undo: (() => Promise<void>)[] = [];
  const stop = once(() => undoAll(undo));
  try {
    const cluster = await start({ programs, kubernetes, undo, signal });
    log(`the node is ready after ${((performance.now() - begun) / 1000).toFixed(1)} s`);
    return { ...cluster, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface StartOptions {
  readonly programs: NodePrograms;
  /** The built program that is every component. */
  readonly kubernetes: string;
  /** Filled with what ends the cluster, in the order of its making. */
  readonly undo: (() => Promise<void>)[];
  readonly signal: AbortSignal | undefined;
}

async function start(options: StartOptions): Promise<Omit<NodeCluster, 'stop'>> {
  const { programs, kubernetes } = options;
  const room = await makeRoom(options);
  const { folder, sandbox, network } = room;
  const server = serverUrl(network);
  const keys = await writeKeyFiles(folder.path, network, server);
  await startPrograms({ ...options, ...room, keys });
  return {
    server,
    kubeconfig: keys.kubeconfig,
    token: keys.token,
    ca: keys.caText,
    hostAddress: network.host,
    kubectl: (args) => run([kubernetes, 'kubectl', '--kubeconfig', keys.kubeconfig, ...args]),
    importImage: (archive) => importImage(sandbox, programs, archive),
  };
}

interface Room {
  readonly folder: RunFolder;
  readonly sandbox: Sandbox;
  readonly network: Network;
  /** Every program started inside, for the wait at the end. */
  readonly running: RunningProcess[];
}

/** Folder, namespaces, cgroup, network and mounts: all that leaves traces, so the guardian comes first. */
async function makeRoom({ kubernetes, programs, undo, signal }: StartOptions): Promise<Room> {
  const folder = await createRunFolder();
  const guardian = await startGuardian(folder);
  undo.push(() => guardian.release());
  const running: RunningProcess[] = [];
  undo.push(async () => void (await Promise.all(running.map(untilExit)))); // the sandbox has ended them
  const sandbox = await startSandbox(signal);
  undo.push(() => sandbox.stop());
  await createCgroup(folder.name);
  const network = await createNetwork(sandbox, signal);
  undo.push(() => network.disconnect());
  await coverPaths(sandbox, { folder: folder.path, keep: [folder.path, kubernetes, programs.cniPlugins] });
  return { folder, sandbox, network, running };
}

async function startPrograms(options: StartOptions & Room & { readonly keys: KeyFiles }): Promise<void> {
  const { keys, kubernetes, network, programs, running, sandbox, signal, undo } = options;
  const folder = options.folder.path;
  const control = { folder, network, keys, component: (name: string) => [kubernetes, name] };
  running.push(...(await startApiServer(sandbox, control)));

  const images = await makeImages({ busybox: programs.busybox, folder: join(folder, 'image'), signal });
  const registry = await startRegistry(network.host, images);
  undo.push(() => registry.stop());
  running.push(await startContainerd(sandbox, { folder, network, programs, registry: registry.url, signal }));

  const api = { server: serverUrl(network), token: keys.token, ca: keys.caText };
  const isServing = () => callApi<string>(api, 'GET', '/readyz').then((said) => said === 'ok');
  await untilReady(isServing, { what: 'the API server', programs: running, signal });

  running.push(...(await startControllers(sandbox, control)));
  const certificates = { ca: keys.ca, ...keys.kubelet };
  const command = [kubernetes, 'kubelet'];
  const node = { folder, network, command, certificates, cgroup: options.folder.name, path: programs.path };
  running.push(await startKubelet(sandbox, { ...node, kubeconfig: keys.kubeconfig }));
  await untilReady(() => isUsable(api), { what: 'the node', programs: running, signal });
}

/** The node takes pods, and the namespace `default` has the ServiceAccount that pods need. */
async function isUsable(api: { server: string; token: string; ca: string }): Promise<boolean> {
  const node = await callApi<NodeObject>(api, 'GET', `/api/v1/nodes/${nodeName}`);
  await callApi(api, 'GET', '/api/v1/namespaces/default/serviceaccounts/default');
  const isReady = node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
  return isReady && (node.spec?.taints ?? []).length === 0;
}

interface NodeObject {
  readonly spec?: { readonly taints?: readonly unknown[] };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** Shared by all runs of this user, outside of the work tree. */
function cacheFolder(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'kube-git');
}

/** Last made, first ended. Each is tried; the errors are thrown together at the end. */
async function undoAll(undo: readonly (() => Promise<void>)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const step of undo.toReversed()) await step().catch((error: unknown) => errors.push(error));
  if (errors.length > 0) throw new AggregateError(errors, 'the cluster did not end as it should');
}

/** Calls `work` the first time, and gives its outcome every time. */
function once(work: () => Promise<void>): () => Promise<void> {
  let outcome: Promise<void> | undefined;
  return () => {
    outcome ??= work();
    return outcome;
  };
}
