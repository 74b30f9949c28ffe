// The certificates, keys and token of one cluster, as files in its folder, and the kubeconfig that goes with them.
import { createPublicKey, randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Authority, type CertificateRequest, createAuthority, createKey } from '../certificates.ts';
import { type Network, serviceAddress } from './network.ts';

export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

/** Paths, but for `caText` and `token`. */
export interface KeyFiles {
  readonly ca: string;
  readonly caText: string;
  readonly server: CertificateFiles;
  readonly kubelet: CertificateFiles;
  /** The API server's identity where it asks kubelet for logs. */
  readonly kubeletClient: CertificateFiles;
  /** Service account tokens are signed with the one and checked with the other. */
  readonly serviceAccountKey: string;
  readonly serviceAccountPublicKey: string;
  readonly tokens: string;
  /** Of an administrator. */
  readonly token: string;
  readonly kubeconfig: string;
}

const tokenBytes = 24;

export async function writeKeyFiles(parent: string, network: Network, server: string): Promise<KeyFiles> {
  const folder = join(parent, 'keys');
  await mkdir(folder, { mode: 0o700 });
  const authority = await createAuthority('kubegit-node');
  const names = [network.node, serviceAddress, '127.0.0.1', 'kubernetes.default.svc', 'kubernetes'];
  const token = randomBytes(tokenBytes).toString('hex');
  const ca = join(folder, 'ca.crt');
  const accountKey = await createKey();
  await writeFile(ca, authority.certificate);
  return {
    ca,
    caText: authority.certificate,
    token,
    server: await issue(authority, folder, { commonName: 'kube-apiserver', names }),
    kubelet: await issue(authority, folder, { commonName: 'kubelet', names }),
    kubeletClient: await issue(authority, folder, { commonName: 'kubelet-client', organizations: ['system:masters'] }),
    serviceAccountKey: await write(folder, 'service-accounts.key', accountKey),
    serviceAccountPublicKey: await write(folder, 'service-accounts.pub', publicKey(accountKey)),
    tokens: await write(folder, 'tokens.csv', `${token},admin,admin,system:masters\n`),
    kubeconfig: await write(folder, 'kubeconfig', kubeconfig({ server, token, ca: authority.certificate })),
  };
}

async function issue(authority: Authority, folder: string, request: CertificateRequest): Promise<CertificateFiles> {
  const pair = await authority.issue(request);
  return {
    certificate: await write(folder, `${request.commonName}.crt`, pair.certificate),
    key: await write(folder, `${request.commonName}.key`, pair.key),
  };
}

async function write(folder: string, name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text, { mode: 0o600 });
  return path;
}

/** The API server reads public keys only from a file of their own where the private one is PKCS #8. */
function publicKey(key: string): string {
  return createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString();
}

function kubeconfig({ server, token, ca }: { server: string; token: string; ca: string }): string {
  const data = Buffer.from(ca).toString('base64');
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'kubegit', cluster: { server, 'certificate-authority-data': data } }],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'kubegit', context: { cluster: 'kubegit', user: 'admin' } }],
    'current-context': 'kubegit',
  });
}
