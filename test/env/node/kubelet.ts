// kubelet inside the sandbox: its configuration and its start.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Authority } from '../certificates.ts';
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
  /** A file. */
  readonly kubeconfig: string;
  /** The cluster's: kubelet is one of those it vouches for, and asks whoever wants logs to be another. */
  readonly authority: Authority;
}

export const nodeName = 'kube-git';

/** Starts it; the node is Ready some seconds later. */
export async function startKubelet(sandbox: Sandbox, options: KubeletOptions): Promise<RunningProcess> {
  const { folder, kubeconfig, network } = options;
  const config = join(folder, 'kubelet.json');
  await mkdir(join(folder, 'kubelet'));
  await writeFile(join(folder, 'resolv.conf'), `nameserver ${dnsAddress}\n`);
  await writeFile(config, JSON.stringify(configuration(options, await writeCertificates(options))));
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

interface CertificateFiles {
  readonly clientCAFile: string;
  readonly tlsCertFile: string;
  readonly tlsPrivateKeyFile: string;
}

async function writeCertificates({ authority, folder, network }: KubeletOptions): Promise<CertificateFiles> {
  const files = {
    clientCAFile: join(folder, 'ca.crt'),
    tlsCertFile: join(folder, 'kubelet.crt'),
    tlsPrivateKeyFile: join(folder, 'kubelet.key'),
  };
  const { certificate, key } = authority.issue({ commonName: 'kubelet', names: [network.node] });
  await writeFile(files.clientCAFile, authority.certificate);
  await writeFile(files.tlsCertFile, certificate);
  await writeFile(files.tlsPrivateKeyFile, key, { mode: 0o600 });
  return files;
}

function configuration({ folder, cgroup }: KubeletOptions, files: CertificateFiles): unknown {
  const { clientCAFile, tlsCertFile, tlsPrivateKeyFile } = files;
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: { x509: { clientCAFile }, anonymous: { enabled: false }, webhook: { enabled: false } },
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
    tlsCertFile,
    tlsPrivateKeyFile,
    volumePluginDir: join(folder, 'volume-plugins'),
  };
}
