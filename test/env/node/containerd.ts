// containerd inside the sandbox: its configuration, its start, and images from files.
import { mkdir, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunningProcess } from '../processes.ts';
import { run } from './command.ts';
import { bridgeName, type Network } from './network.ts';
import type { NodePrograms } from './packages.ts';
import { startProgram } from './program.ts';
import type { Sandbox } from './sandbox.ts';

export interface ContainerdOptions {
  readonly folder: string;
  readonly network: Network;
  readonly programs: NodePrograms;
  /** The registry that stands for docker.io. */
  readonly registry: string;
}

/** In the sandbox, whose /run is its own. */
export const containerdSocket = '/run/containerd/containerd.sock';

/** Starts it; it serves a moment later. */
export async function startContainerd(sandbox: Sandbox, options: ContainerdOptions): Promise<RunningProcess> {
  const { folder, programs } = options;
  await writeConfiguration(options);
  const command = ['containerd', '--config', join(folder, 'containerd.toml')];
  return startProgram(sandbox, { name: 'containerd', command, folder, env: { PATH: programs.path } });
}

/** Rejects with the reason when it does not. */
export async function isServing(sandbox: Sandbox, programs: NodePrograms): Promise<boolean> {
  await ctr(sandbox, programs, ['version']);
  return true;
}

/** Loads a docker-archive or OCI archive, as `docker save` writes it, for pods. */
export async function importImage(sandbox: Sandbox, programs: NodePrograms, archive: string): Promise<void> {
  await ctr(sandbox, programs, ['--namespace', 'k8s.io', 'images', 'import', archive]);
}

/** Without a limit ctr waits for minutes on a socket that is not there yet. */
async function ctr(sandbox: Sandbox, programs: NodePrograms, args: readonly string[]): Promise<string> {
  const command = ['ctr', '--address', containerdSocket, '--connect-timeout', '1s', ...args];
  return run(sandbox.enter(command), { env: { PATH: programs.path } });
}

async function writeConfiguration(options: ContainerdOptions): Promise<void> {
  const { folder, network, registry } = options;
  const networks = join(folder, 'cni');
  const hosts = join(folder, 'registries/docker.io');
  await mkdir(networks);
  await mkdir(hosts, { recursive: true });
  await writeFile(
    join(networks, '10-kubegit.conflist'),
    JSON.stringify(podNetwork(network, join(folder, 'addresses'))),
  );
  // Both forms are needed: containerd 1.6 refuses a file without a host, and without "server" it would go on to Docker's.
  const url = JSON.stringify(registry);
  await writeFile(join(hosts, 'hosts.toml'), `server = ${url}\n[host.${url}]\n`);
  await writeFile(join(folder, 'containerd.toml'), await configuration(options));
}

/** TOML strings are written as JSON strings: every JSON string is a TOML basic string. */
async function configuration({ folder, programs }: ContainerdOptions): Promise<string> {
  const text = (value: string) => JSON.stringify(value);
  // restrict_oom_score_adj: runc may not lower a score without CAP_SYS_RESOURCE, and says only "can't get final child's PID from pipe".
  // disable_apparmor: containerd would load a profile into the machine's kernel, which stays there.
  return `version = 2
root = ${text(join(folder, 'containerd'))}
state = "/run/containerd"
[grpc]
  address = ${text(containerdSocket)}
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "docker.io/kubegit/pause:latest"
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = ${text(await snapshotterFor(folder))}
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = ${text(programs.cniPlugins)}
    conf_dir = ${text(join(folder, 'cni'))}
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = ${text(join(folder, 'registries'))}
`;
}

const overlayMagic = 0x794c7630; // linux/magic.h, OVERLAYFS_SUPER_MAGIC

/** An overlay's upper folder cannot lie on an overlay itself, as it would inside a container. */
async function snapshotterFor(folder: string): Promise<'overlayfs' | 'native'> {
  return (await statfs(folder)).type === overlayMagic ? 'native' : 'overlayfs';
}

/** Pods sit on the bridge beside the node; addresses in use are kept in a folder of ours. */
function podNetwork(network: Network, dataDir: string): unknown {
  const { range, firstPod, lastPod, node } = network;
  const ranges = [[{ subnet: range, rangeStart: firstPod, rangeEnd: lastPod, gateway: node }]];
  const ipam = { type: 'host-local', dataDir, ranges, routes: [{ dst: '0.0.0.0/0' }] };
  return { cniVersion: '0.4.0', name: 'kubegit', plugins: [{ type: 'bridge', bridge: bridgeName, ipam }] };
}
