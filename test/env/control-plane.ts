// A real Kubernetes control plane on this machine: etcd and kube-apiserver, on request the controller manager and the
// scheduler. Throw-away: random ports, a folder of its own, nothing left after stop() or after the end of this program.
// Called by hack/test.ts, by tests that restart an API server, and by the node and the demo.
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../src/errors.ts';
import { type ApiServer, callApi } from './api.ts';
import { binary, type Component } from './binaries.ts';
import type { Authority } from './certificates.ts';
import { type ControlPlaneFiles, writeFiles, writeKubeconfig } from './control-plane-files.ts';
import { apiServerFlags, controllerManagerFlags, etcdFlags, schedulerFlags } from './control-plane-flags.ts';
import { makeDataFolder } from './data-folder.ts';
import { freePort } from './ports.ts';
import { type RunningProcess, startProcess } from './processes.ts';
import type { Output } from './progress.ts';
import { waitFor } from './wait.ts';

export interface ControlPlaneOptions {
  /** For data, certificates and logs; default a temporary one. Removed at stop() either way. */
  readonly folder?: string;
  /** Where the API server listens. Default 127.0.0.1 and a random free port. */
  readonly bindAddress?: string;
  readonly port?: number;
  /** What the API server tells others its address is: not loopback where there is a node. */
  readonly advertiseAddress?: string;
  /** Further IP addresses and DNS names in its certificate. */
  readonly names?: readonly string[];
  /** Put before every command, as ['ip', 'netns', 'exec', 'x']. */
  readonly launcher?: readonly string[];
  /** Added to the API server's own: later flags win. */
  readonly apiServerFlags?: readonly string[];
  readonly output?: Output;
  /** Ends the start: it then rejects and leaves nothing. */
  readonly signal?: AbortSignal;
}

/** Starting takes 4 s here; a machine busy with other things may need many times that. */
const readyWithinMs = 120_000;

/** Starts etcd and the API server and returns when it is ready. Nothing is left running when that fails. */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const token = randomBytes(16).toString('hex');
  const bindAddress = options.bindAddress ?? '127.0.0.1';
  const port = options.port ?? (await freePort(bindAddress));
  const folder = options.folder ?? (await makeDataFolder('control-plane'));
  // 10.96.0.1 is what pods know the API server by: the first address of the service range.
  const names = [
    '127.0.0.1',
    bindAddress,
    '10.96.0.1',
    'localhost',
    'kubernetes.default.svc',
    ...(options.names ?? []),
  ];
  const files = await writeFiles(folder, [...new Set(names)], token);
  const server = `https://${bindAddress}:${port}`;
  await writeKubeconfig(files, server, token);
  const plane = new ControlPlane({ server, token, ca: files.authority.certificate }, files, options);
  try {
    await plane.startEtcd(await freePort(), await freePort());
    await plane.startApiServer();
    return plane;
  } catch (error) {
    await plane.stop();
    throw error;
  }
}

/** Go's collector takes a quarter of what the API server computes by default; a machine for tests has the memory instead. */
const moreMemory = '300';

export class ControlPlane implements ApiServer {
  readonly server: string;
  readonly token: string;
  readonly ca: string;
  /** Path of the admin's kubeconfig. */
  readonly kubeconfig: string;
  readonly folder: string;
  /** Signs further certificates of this cluster, as a kubelet's. */
  readonly authority: Authority;
  readonly #files: ControlPlaneFiles;
  readonly #options: ControlPlaneOptions;
  readonly #running = new Map<Component, RunningProcess>();
  #etcdUrl = '';

  constructor(api: ApiServer, files: ControlPlaneFiles, options: ControlPlaneOptions) {
    this.server = api.server;
    this.token = api.token;
    this.ca = api.ca;
    this.kubeconfig = files.kubeconfig;
    this.folder = files.folder;
    this.authority = files.authority;
    this.#files = files;
    this.#options = options;
  }

  /** Called by startControlPlane. */
  async startEtcd(clientPort: number, peerPort: number): Promise<void> {
    this.#etcdUrl = `http://127.0.0.1:${clientPort}`;
    await this.#start('etcd', etcdFlags(this.folder, this.#etcdUrl, `http://127.0.0.1:${peerPort}`));
  }

  /** Starts it where stopApiServer() left it, on the same port; returns when it is ready. */
  async startApiServer(): Promise<void> {
    const { bindAddress = '127.0.0.1', advertiseAddress, apiServerFlags: more = [] } = this.#options;
    const port = Number(new URL(this.server).port || 443);
    const address = { bindAddress, port, advertiseAddress };
    await this.#start('kube-apiserver', [...apiServerFlags(this.#files, this.#etcdUrl, address), ...more]);
    await this.#untilReady();
  }

  /** Kills it, as a crash would. etcd and what it holds stay. */
  async stopApiServer(): Promise<void> {
    await this.#running.get('kube-apiserver')?.stop('SIGKILL');
    this.#running.delete('kube-apiserver');
  }

  async restartApiServer(): Promise<void> {
    await this.stopApiServer();
    await this.startApiServer();
  }

  /** Start it after the CRDs are there: its garbage collector looks for new kinds every 30 s only. */
  async startControllerManager(controllers: readonly string[] = ['*'], more: readonly string[] = []): Promise<void> {
    const flags = [...controllerManagerFlags(this.#files, controllers), ...more];
    await this.#start('kube-controller-manager', flags);
  }

  async startScheduler(): Promise<void> {
    await this.#start('kube-scheduler', schedulerFlags(this.#files));
  }

  /** Where etcd listens, for tests that put what no API server stores any more. */
  get etcdUrl(): string {
    return this.#etcdUrl;
  }

  /** The process numbers of what runs, for tests. */
  pids(): number[] {
    return [...this.#running.values()].map(({ pid }) => pid);
  }

  /** Ends everything and removes the folder. */
  async stop(): Promise<void> {
    // Nothing of it is kept, so nothing has to be closed properly: the quickest way is the best.
    await Promise.all([...this.#running.values()].map((running) => running.stop('SIGKILL')));
    this.#running.clear();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }

  async #start(component: Component, flags: readonly string[]): Promise<void> {
    const { output, launcher = [] } = this.#options;
    const program = await binary(component, output === undefined ? {} : { output });
    const [file = program.file, ...args] = [...launcher, program.file, ...program.args, ...flags];
    const logFile = join(this.folder, `${component}.log`);
    const env = { GOGC: moreMemory, ...process.env };
    this.#running.set(component, await startProcess({ name: component, file, args, env, logFile, cwd: this.folder }));
  }

  async #untilReady(): Promise<void> {
    const ready = async (): Promise<RunningProcess | 'ready' | false> => {
      const ended = [...this.#running.values()].find((running) => running.exit() !== undefined);
      if (ended !== undefined) return ended;
      return (await callApi(this, 'GET', '/readyz')) === 'ok' && 'ready';
    };
    const what = 'kube-apiserver to be ready';
    const { signal } = this.#options;
    try {
      const state = await waitFor(ready, { what, deadlineMs: readyWithinMs, everyMs: 100, signal });
      if (state !== 'ready') throw new Error(`${state.name} ended by itself`);
    } catch (error) {
      signal?.throwIfAborted();
      const logs = [...this.#running.values()].map(({ name, logTail }) => `--- ${name}\n${logTail()}`);
      throw new Error(`The control plane did not start: ${messageOf(error)}\n${logs.join('\n')}`, { cause: error });
    }
  }
}
