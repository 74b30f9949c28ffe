// The control plane of a cluster with a node: etcd, the API server, the controller manager and the scheduler, all
// inside the sandbox, so that they need no free ports and end with it. (Without a node: ../control-plane.ts.)
import { join } from 'node:path';
import type { RunningProcess } from '../processes.ts';
import type { KeyFiles } from './key-files.ts';
import { type Network, serviceRange } from './network.ts';
import { startProgram } from './program.ts';
import type { Sandbox } from './sandbox.ts';

export interface ControlOptions {
  readonly folder: string;
  readonly network: Network;
  readonly keys: KeyFiles;
  /** The command that runs a component of Kubernetes, or etcd. */
  readonly component: (name: string) => readonly string[];
}

// Ports of a sandbox, which has all to itself. 443 because pods reach the API server at <service address>:443.
const apiPort = 443;
const etcdUrl = 'http://127.0.0.1:2379';

/** Where the API server of this network is reached, from the machine too. */
export function serverUrl(network: Network): string {
  return `https://${network.node}:${apiPort}`;
}

/** etcd and the API server. Returns when they run, some seconds before the API server is ready. */
export async function startApiServer(sandbox: Sandbox, options: ControlOptions): Promise<readonly RunningProcess[]> {
  const etcd = [...options.component('etcd'), ...etcdFlags(options.folder)];
  const apiServer = [...options.component('kube-apiserver'), ...apiServerFlags(options)];
  return [
    await startProgram(sandbox, { name: 'etcd', command: etcd, folder: options.folder }),
    await startProgram(sandbox, { name: 'kube-apiserver', command: apiServer, folder: options.folder }),
  ];
}

/** Needs a ready API server: both end when it does not answer. */
export async function startControllers(sandbox: Sandbox, options: ControlOptions): Promise<readonly RunningProcess[]> {
  const { component, folder, keys } = options;
  const flags = ['--leader-elect=false', '--kubeconfig', keys.kubeconfig, '--bind-address', '127.0.0.1'];
  const accounts = ['--service-account-private-key-file', keys.serviceAccountKey, '--root-ca-file', keys.ca];
  const manager = [...component('kube-controller-manager'), ...flags, ...accounts];
  const scheduler = [...component('kube-scheduler'), ...flags];
  return [
    await startProgram(sandbox, { name: 'kube-controller-manager', command: manager, folder }),
    await startProgram(sandbox, { name: 'kube-scheduler', command: scheduler, folder }),
  ];
}

function etcdFlags(folder: string): readonly string[] {
  const peer = 'http://127.0.0.1:2380';
  const urls = ['--listen-client-urls', etcdUrl, '--advertise-client-urls', etcdUrl, '--listen-peer-urls', peer];
  // Nothing outlives the cluster, so nothing has to outlive a power cut.
  return ['--data-dir', join(folder, 'etcd'), '--unsafe-no-fsync', '--log-level', 'error', ...urls];
}

function apiServerFlags({ keys, network }: ControlOptions): readonly string[] {
  return [
    ...['--etcd-servers', etcdUrl],
    ...['--bind-address', '0.0.0.0', '--secure-port', String(apiPort), '--advertise-address', network.node],
    ...['--tls-cert-file', keys.server.certificate, '--tls-private-key-file', keys.server.key],
    ...['--client-ca-file', keys.ca, '--token-auth-file', keys.tokens, '--authorization-mode', 'RBAC'],
    ...['--service-cluster-ip-range', serviceRange, '--allow-privileged'],
    ...['--service-account-issuer', 'https://kubernetes.default.svc'],
    ...['--service-account-key-file', keys.serviceAccountPublicKey],
    ...['--service-account-signing-key-file', keys.serviceAccountKey],
    ...['--kubelet-preferred-address-types', 'InternalIP', '--kubelet-certificate-authority', keys.ca],
    ...['--kubelet-client-certificate', keys.kubeletClient.certificate, '--kubelet-client-key', keys.kubeletClient.key],
  ];
}
