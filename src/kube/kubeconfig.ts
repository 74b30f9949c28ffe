// Which API server to talk to, and as whom: from flags, a kubeconfig file or the pod kube-git runs in.
// Called once at start by main. Every error names the file and the field.
import { access, readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { type Clock, systemClock } from '../clock.ts';
import { fixedCredentials } from './credentials.ts';
import { fileCredentials, readNamed } from './file-credentials.ts';
import { type KubeConfig, readKubeConfigFile } from './kubeconfig-file.ts';
import { parseServer } from './transport.ts';

export interface KubeConfigOptions {
  /** The flag -kubeconfig; '' is as if it were missing, here and below. */
  readonly kubeconfig?: string | undefined;
  /** The flag -master: takes the place of the server's address. */
  readonly master?: string | undefined;
  /** Default: the file's current-context. */
  readonly context?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock?: Clock;
  /** For tests; where a pod finds its token and the cluster's certificate. */
  readonly serviceAccountFolder?: string;
}

const SERVICE_ACCOUNT_FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * The first there is of: -kubeconfig, KUBECONFIG (the first of its files that exists; several are not merged), the pod's
 * ServiceAccount, ~/.kube/config, -master alone.
 */
export async function loadKubeConfig(options: KubeConfigOptions): Promise<KubeConfig> {
  const config = await find(options);
  if (!options.master) return config;
  return { ...config, server: { ...config.server, url: parseServer(options.master, '-master') } };
}

async function find(options: KubeConfigOptions): Promise<KubeConfig> {
  const { env, clock = systemClock } = options;
  const fromFile = (path: string): Promise<KubeConfig> =>
    readKubeConfigFile({ path, context: options.context, env, clock });
  if (options.kubeconfig) return fromFile(options.kubeconfig);
  const listed = (env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  if (listed.length > 0) {
    const path = await firstExisting(listed);
    if (path === undefined) throw new Error(`KUBECONFIG names no file that exists: ${listed.join(', ')}`);
    return fromFile(path);
  }
  if (env['KUBERNETES_SERVICE_HOST']) return inCluster(options, clock);
  const home = await firstExisting([join(env['HOME'] ?? '/', '.kube', 'config')]);
  if (home !== undefined) return fromFile(home);
  if (options.master) return masterAlone(options.master);
  throw new Error(
    'no Kubernetes found: not in a pod, and neither -kubeconfig, KUBECONFIG nor ~/.kube/config names a file',
  );
}

async function firstExisting(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const exists = await access(path).then(
      () => true,
      () => false,
    );
    if (exists) return path;
  }
  return undefined;
}

async function inCluster(options: KubeConfigOptions, clock: Clock): Promise<KubeConfig> {
  const folder = options.serviceAccountFolder ?? SERVICE_ACCOUNT_FOLDER;
  const host = options.env['KUBERNETES_SERVICE_HOST'] ?? '';
  const port = options.env['KUBERNETES_SERVICE_PORT'] ?? '443';
  const namespace = await readFile(join(folder, 'namespace'), 'utf8').catch(() => 'default');
  return {
    server: {
      url: parseServer(`https://${host.includes(':') ? `[${host}]` : host}:${port}`, 'KUBERNETES_SERVICE_HOST'),
      ca: await readNamed(join(folder, 'ca.crt'), 'the ServiceAccount'),
    },
    credentials: fileCredentials({ token: join(folder, 'token'), where: 'the ServiceAccount', clock }),
    namespace: namespace.trim(),
    source: `the pod's ServiceAccount in ${folder}`,
  };
}

function masterAlone(master: string): KubeConfig {
  const url = parseServer(master, '-master');
  return { server: { url }, credentials: fixedCredentials({}), namespace: 'default', source: '-master' };
}
