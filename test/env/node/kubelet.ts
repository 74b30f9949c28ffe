// kubelet inside the sandbox: its configuration and its start.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunningProcess } from '../processes.ts';
import { containerdSocket } from './containerd.ts';
import { dnsAddress, type Network } from './network.ts';
import { startProgram } from './program.ts';
import type { Sandbox } from './sandbox.ts';

export interface KubeletOptions {
  readonly folder: string;
  readonly network: Network;
  /** The command that starts kubelet, without flags. */
  readonly command: readonly string[];
  readonly path: string;
  /** The cgroup for pods, below the root of every hierarchy. */
  readonly cgroup: string;
  /** Files: whom kubelet trusts (the API server asks it for logs), and who it is. */
  readonly certificates: { readonly ca: string; readonly certificate: string; readonly key: string };
  readonly kubeconfig: string;
}

export const nodeName = 'kube-git';

/** Starts it; the node is Ready some seconds later. */
export async function startKubelet(sandbox: Sandbox, options: KubeletOptions): Promise<RunningProcess> {
  const { folder, kubeconfig, network } = options;
  const config = join(folder, 'kubelet.json');
  await mkdir(join(folder, 'kubelet'));
  await writeFile(join(folder, 'resolv.conf'), `nameserver ${dnsAddress}\n`);
  await writeFile(config, JSON.stringify(configuration(options)));
  const identity = ['--node-ip', network.node, '--hostname-override', nodeName];
  const files = ['--config', config, '--kubeconfig', kubeconfig, '--root-dir', join(folder, 'kubelet')];
  const command = [...options.command, ...files, ...identity];
  return startProgram(sandbox, { name: 'kubelet', command, folder, env: { PATH: options.path } });
}

// Pods stay as long as the cluster: a full disk of the machine evicts none, and no image is collected, since most
// cannot be fetched again.
const nothing = '0%';
const evictionHard = {
  'memory.available': nothing,
  'nodefs.available': nothing,
  'nodefs.inodesFree': nothing,
  'imagefs.available': nothing,
  'imagefs.inodesFree': nothing,
};

function configuration({ folder, cgroup, certificates }: KubeletOptions): unknown {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: { x509: { clientCAFile: certificates.ca }, anonymous: { enabled: false }, webhook: { enabled: false } },
    authorization: { mode: 'AlwaysAllow' }, // whoever shows a certificate of this cluster's CA
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${cgroup}`,
    clusterDNS: [dnsAddress],
    clusterDomain: 'cluster.local',
    containerRuntimeEndpoint: `unix://${containerdSocket}`,
    evictionHard,
    failCgroupV1: false,
    failSwapOn: false,
    imageGCHighThresholdPercent: 100,
    localStorageCapacityIsolation: false,
    makeIPTablesUtilChains: false,
    oomScoreAdj: 0, // lowering it needs CAP_SYS_RESOURCE
    podLogsDir: join(folder, 'pod-logs'),
    resolvConf: join(folder, 'resolv.conf'),
    tlsCertFile: certificates.certificate,
    tlsPrivateKeyFile: certificates.key,
    volumePluginDir: join(folder, 'volume-plugins'),
  };
}
