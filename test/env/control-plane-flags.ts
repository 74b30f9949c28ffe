// The command lines of the control plane's programs. Pure: called by control-plane.ts.
import { join } from 'node:path';
import type { ControlPlaneFiles } from './control-plane-files.ts';

/** For a store that is thrown away: no fsync, and only errors in the log. */
export function etcdFlags(folder: string, clientUrl: string, peerUrl: string): string[] {
  return [
    `--data-dir=${join(folder, 'etcd')}`,
    '--unsafe-no-fsync',
    `--listen-client-urls=${clientUrl}`,
    `--advertise-client-urls=${clientUrl}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=default=${peerUrl}`,
    '--log-level=error',
  ];
}

export interface Address {
  readonly bindAddress: string;
  readonly port: number;
  readonly advertiseAddress: string | undefined;
}

export function apiServerFlags(files: ControlPlaneFiles, etcdUrl: string, address: Address): string[] {
  return [
    `--etcd-servers=${etcdUrl}`,
    `--bind-address=${address.bindAddress}`,
    `--secure-port=${address.port}`,
    ...(address.advertiseAddress === undefined ? [] : [`--advertise-address=${address.advertiseAddress}`]),
    `--cert-dir=${files.folder}`,
    `--tls-cert-file=${files.servingCertificate}`,
    `--tls-private-key-file=${files.servingKey}`,
    `--client-ca-file=${files.ca}`,
    `--token-auth-file=${files.tokens}`,
    '--authorization-mode=RBAC',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${files.serviceAccountKey}`,
    `--service-account-signing-key-file=${files.serviceAccountKey}`,
    '--service-cluster-ip-range=10.96.0.0/16',
    '--allow-privileged',
    `--kubelet-certificate-authority=${files.ca}`,
    `--kubelet-client-certificate=${files.clientCertificate}`,
    `--kubelet-client-key=${files.clientKey}`,
    '--kubelet-preferred-address-types=InternalIP',
  ];
}

export function controllerManagerFlags(files: ControlPlaneFiles, controllers: readonly string[]): string[] {
  return [
    `--kubeconfig=${files.kubeconfig}`,
    `--controllers=${controllers.join(',')}`,
    '--leader-elect=false',
    // One identity, the admin's: the programs of a throw-away cluster need no roles of their own.
    '--use-service-account-credentials=false',
    `--service-account-private-key-file=${files.serviceAccountKey}`,
    `--root-ca-file=${files.ca}`,
    '--secure-port=0',
  ];
}

export function schedulerFlags(files: ControlPlaneFiles): string[] {
  return [`--kubeconfig=${files.kubeconfig}`, '--leader-elect=false', '--secure-port=0'];
}
