// A whole Kubernetes cluster with one node that runs real pods, for the demo and end-to-end tests: Linux, root. It lives
// in namespaces of its own (sandbox.ts), so it neither sees nor disturbs a Docker or Kubernetes of this machine, and
// several of them may run at the same time. Nothing of it outlives this process (guardian.ts).
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type ApiServer, callApi } from '../api.ts';
import { binary, kubectl } from '../binaries.ts';
import { type ControlPlane, startControlPlane } from '../control-plane.ts';
import { type RunningProcess, untilExit } from '../processes.ts';
import type { Output } from '../progress.ts';
import { createCgroup } from './cgroups.ts';
import { importImage, isServing, startContainerd } from './containerd.ts';
import { startGuardian } from './guardian.ts';
import { makeImages } from './images.ts';
import { nodeName, startKubelet } from './kubelet.ts';
import { removeLeftovers } from './leftovers.ts';
import { coverPaths } from './mounts.ts';
import { createNetwork, disconnect, type Network, serviceAddress } from './network.ts';
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
  /** The file of a busybox that needs no shared library, for further images. */
  readonly busybox: string;
  /** Its standard output; rejects with what it said on standard error. */
  kubectl(args: readonly string[]): Promise<string>;
  /** Makes the images of a docker-archive or OCI archive known to the node. */
  importImage(archive: string): Promise<void>;
  /** The command that runs `command` on this machine, but with the node's network: what it listens on, only the cluster and we reach. */
  withNodeNetwork(command: readonly string[]): readonly string[];
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
  const output = { write: (text: string) => log(text.trimEnd()) };
  const programs = await ensureNodePrograms({ cache: cacheFolder(), log, signal });
  const { file } = await binary('kubelet', { output, signal }); // built first where it is missing: that takes minutes
  signal?.throwIfAborted();
  const begun = performance.now();
  const undo: Undo = [];
  const stop = once(() => undoAll(undo));
  try {
    const cluster = await start({ programs, keep: [file], output, undo, signal });
    log(`a Kubernetes node is ready after ${((performance.now() - begun) / 1000).toFixed(1)} s`);
    return { ...cluster, stop };
  } catch (error) {
    await stop();
    throw signal?.aborted ? signal.reason : error;
  }
}

/** What ends the cluster, in the order of its making. */
type Undo = (() => Promise<void>)[];

interface StartOptions {
  readonly programs: NodePrograms;
  /** Programs that must be visible in the sandbox. */
  readonly keep: readonly string[];
  readonly output: Output;
  readonly undo: Undo;
  readonly signal: AbortSignal | undefined;
}

async function start(options: StartOptions): Promise<Omit<NodeCluster, 'stop'>> {
  const room = await makeRoom(options);
  const { plane, node } = await startPrograms({ ...options, ...room });
  const { network, sandbox } = room;
  const { ca, kubeconfig, server, token } = plane;
  const isReady = () => isUsable(plane);
  await untilReady(isReady, { what: 'the node', programs: node, signal: options.signal });
  return {
    ...{ server, kubeconfig, token, ca },
    hostAddress: network.host,
    busybox: options.programs.busybox,
    kubectl: (args) => kubectl(['--kubeconfig', kubeconfig, ...args], { output: options.output }),
    importImage: (archive) => importImage(sandbox, options.programs, archive),
    withNodeNetwork: (command) => ['nsenter', '--target', String(sandbox.pid), '--net', '--', ...command],
  };
}

interface Room {
  readonly folder: RunFolder;
  readonly sandbox: Sandbox;
  readonly network: Network;
  /** Steps for when the sandbox has ended, and everything inside with it. */
  readonly afterwards: Undo;
}

/** Folder, namespaces, cgroup, network and mounts: all that leaves traces, so the guardian comes first. */
async function makeRoom({ keep, programs, undo, signal }: StartOptions): Promise<Room> {
  const folder = await createRunFolder();
  const guardian = await startGuardian(folder);
  undo.push(() => guardian.release());
  const afterwards: Undo = [];
  undo.push(() => undoAll(afterwards));
  const sandbox = await startSandbox(signal);
  undo.push(() => sandbox.stop());
  await createCgroup(folder.name);
  const network = await createNetwork(sandbox, signal);
  undo.push(() => disconnect(sandbox));
  await coverPaths(sandbox, { folder: folder.path, keep: [folder.path, programs.cniPlugins, ...keep] });
  return { folder, sandbox, network, afterwards };
}

/** Control plane and containerd side by side, then what needs both. */
async function startPrograms(options: StartOptions & Room): Promise<{ plane: ControlPlane; node: RunningProcess[] }> {
  const { afterwards } = options;
  const [startingPlane, startingRuntime] = [startPlane(options), startRuntime(options)];
  // Either may still be on its way when the other fails.
  afterwards.push(async () => (await startingPlane.catch(() => undefined))?.stop());
  afterwards.push(async () => (await startingRuntime.catch(() => undefined))?.stop());
  const [plane, { containerd }] = await Promise.all([startingPlane, startingRuntime]);
  await Promise.all([plane.startControllerManager(), plane.startScheduler()]);
  const kubelet = await startNode(options, plane);
  afterwards.push(async () => void (await untilExit(kubelet)));
  return { plane, node: [containerd, kubelet] };
}

/** In the sandbox port 443 is free, and pods look for the API server at <service address>:443. */
function startPlane({ folder, network, output, sandbox, signal }: StartOptions & Room): Promise<ControlPlane> {
  return startControlPlane({
    output,
    ...(signal && { signal }),
    folder: join(folder.path, 'control-plane'),
    launcher: sandbox.enter([]),
    bindAddress: network.node,
    advertiseAddress: network.node,
    port: 443,
    names: [serviceAddress],
    apiServerFlags: ['--bind-address=0.0.0.0'], // on the service address too
  });
}

interface Runtime {
  readonly containerd: RunningProcess;
  /** Once the sandbox has ended. */
  stop(): Promise<void>;
}

async function startRuntime(options: StartOptions & Room): Promise<Runtime> {
  const { network, programs, sandbox, signal } = options;
  const folder = options.folder.path;
  const images = await makeImages({ busybox: programs.busybox, folder: join(folder, 'image'), signal });
  const registry = await startRegistry(network.host, images);
  try {
    const containerd = await startContainerd(sandbox, { folder, network, programs, registry: registry.url });
    await untilReady(() => isServing(sandbox, programs), { what: 'containerd', programs: [containerd], signal });
    const stop = async () => void (await Promise.all([untilExit(containerd), registry.stop()]));
    return { containerd, stop };
  } catch (error) {
    await registry.stop();
    throw error;
  }
}

async function startNode({ folder, network, programs, sandbox }: StartOptions & Room, plane: ControlPlane) {
  const kubelet = await binary('kubelet');
  return startKubelet(sandbox, {
    network,
    folder: folder.path,
    cgroup: folder.name,
    command: [kubelet.file, ...kubelet.args],
    path: programs.path,
    kubeconfig: plane.kubeconfig,
    authority: plane.authority,
  });
}

/** The node takes pods, and the namespace `default` has the ServiceAccount that pods need. */
async function isUsable(api: ApiServer): Promise<boolean> {
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
async function undoAll(undo: Undo): Promise<void> {
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
