// The files a control plane starts with: certificates, tokens, the service account key, the kubeconfig.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Authority, createAuthority, createKey } from './certificates.ts';

export interface ControlPlaneFiles {
  readonly folder: string;
  readonly authority: Authority;
  /** Paths, all in the folder, all 0600. */
  readonly ca: string;
  readonly servingCertificate: string;
  readonly servingKey: string;
  /** Member of system:masters, for the API server to call kubelets with. */
  readonly clientCertificate: string;
  readonly clientKey: string;
  readonly serviceAccountKey: string;
  readonly tokens: string;
  readonly kubeconfig: string;
}

/** Makes them all. `names` are the IP addresses and DNS names the API server is reached by. */
export async function writeFiles(folder: string, names: readonly string[], token: string): Promise<ControlPlaneFiles> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const authority = createAuthority('kube-git throw-away cluster');
  const serving = authority.issue({ commonName: 'kube-apiserver', names });
  const client = authority.issue({ commonName: 'kube-apiserver-client', organizations: ['system:masters'] });
  const put = async (name: string, content: string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, content, { mode: 0o600 });
    return path;
  };
  return {
    folder,
    authority,
    ca: await put('ca.crt', authority.certificate),
    servingCertificate: await put('apiserver.crt', serving.certificate),
    servingKey: await put('apiserver.key', serving.key),
    clientCertificate: await put('apiserver-client.crt', client.certificate),
    clientKey: await put('apiserver-client.key', client.key),
    serviceAccountKey: await put('service-account.key', createKey()),
    tokens: await put('tokens.csv', `${token},admin,admin,system:masters\n`),
    kubeconfig: join(folder, 'kubeconfig'),
  };
}

/** The admin's kubeconfig for this server. JSON, which is YAML too. */
export async function writeKubeconfig(files: ControlPlaneFiles, server: string, token: string): Promise<void> {
  const name = 'kube-git';
  const ca = Buffer.from(files.authority.certificate).toString('base64');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server, 'certificate-authority-data': ca } }],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name, context: { cluster: name, user: 'admin' } }],
    'current-context': name,
  };
  await writeFile(files.kubeconfig, `${JSON.stringify(config, undefined, 2)}\n`, { mode: 0o600 });
}
