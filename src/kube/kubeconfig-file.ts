// A kubeconfig file: which of its fields count, and what they mean. Called by kubeconfig.ts.
// https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/ ; an unsupported field is an error, not passed over.
import { dirname, resolve } from 'node:path';
import { load, YAMLException } from 'js-yaml';
import * as v from 'valibot';
import type { Clock } from '../clock.ts';
import { type Credentials, fixedCredentials } from './credentials.ts';
import { execCredentials, execSchema } from './exec-plugin.ts';
import { fileCredentials, readNamed } from './file-credentials.ts';
import { parseServer, type Server } from './transport.ts';

const text = v.nullish(v.string());
const unsupported = v.nullish(v.never('is not supported here'));

const clusterSchema = v.object({
  server: v.string(),
  'certificate-authority': text,
  'certificate-authority-data': text,
  'insecure-skip-tls-verify': v.nullish(v.boolean()),
  'tls-server-name': text,
  'proxy-url': unsupported,
});

const userSchema = v.object({
  'client-certificate': text,
  'client-certificate-data': text,
  'client-key': text,
  'client-key-data': text,
  token: text,
  tokenFile: text,
  exec: v.nullish(execSchema),
  as: unsupported,
  'as-groups': unsupported,
  // Both are gone from Kubernetes itself (1.26 and 1.19).
  'auth-provider': unsupported,
  password: unsupported,
});

const fileSchema = v.object({
  'current-context': text,
  contexts: v.nullish(
    v.array(v.object({ name: v.string(), context: v.object({ cluster: v.string(), user: text, namespace: text }) })),
    [],
  ),
  clusters: v.nullish(v.array(v.object({ name: v.string(), cluster: clusterSchema })), []),
  users: v.nullish(v.array(v.object({ name: v.string(), user: v.nullish(userSchema, {}) })), []),
});

type User = v.InferOutput<typeof userSchema>;

export interface KubeConfig {
  readonly server: Server;
  readonly credentials: Credentials;
  /** The context's namespace; `default` where it names none. */
  readonly namespace: string;
  /** Where this was read, for the log. */
  readonly source: string;
}

export interface KubeConfigFile {
  readonly path: string;
  /** undefined or '': the file's current-context. */
  readonly context: string | undefined;
  /** What exec plugins run with. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
}

/** Throws an Error that names the file and the field. Relative paths in it are from its folder. */
export async function readKubeConfigFile(file: KubeConfigFile): Promise<KubeConfig> {
  const config = parse(await readNamed(file.path, 'kubeconfig'), file.path);
  const contextName = file.context || config['current-context'];
  if (!contextName) throw new Error(`${file.path}: current-context is not set; choose a context`);
  const context = config.contexts.find(({ name }) => name === contextName)?.context;
  if (context === undefined) throw new Error(`${file.path}: contexts: there is none named ${contextName}`);
  const cluster = config.clusters.find(({ name }) => name === context.cluster)?.cluster;
  if (cluster === undefined) throw new Error(`${file.path}: clusters: there is none named ${context.cluster}`);
  const user = context.user ? config.users.find(({ name }) => name === context.user)?.user : {};
  if (user === undefined) throw new Error(`${file.path}: users: there is none named ${context.user}`);
  return {
    server: await readServer(cluster, file.path, `${file.path}: cluster ${context.cluster}`),
    credentials: await readCredentials(user, file, `${file.path}: user ${context.user}`),
    namespace: context.namespace || 'default',
    source: `context ${contextName} of ${file.path}`,
  };
}

/** The messages leave out the file's text: it holds secrets. */
function parse(yaml: string, path: string): v.InferOutput<typeof fileSchema> {
  let value: unknown;
  try {
    value = load(yaml);
  } catch (error) {
    const place = error instanceof YAMLException && error.mark ? ` at line ${error.mark.line + 1}` : '';
    throw new Error(`${path}: is not YAML${place}`);
  }
  const result = v.safeParse(fileSchema, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const problem =
    issue.message === 'is not supported here' ? issue.message : `must be ${issue.expected ?? 'something else'}`;
  throw new Error(`${path}: ${v.getDotPath(issue) ?? 'the file'} ${problem}`);
}

async function readServer(cluster: v.InferOutput<typeof clusterSchema>, path: string, where: string): Promise<Server> {
  const file = cluster['certificate-authority'];
  const data = cluster['certificate-authority-data'];
  const ca = data
    ? decode(data, `${where}: certificate-authority-data`)
    : file
      ? await readNamed(resolve(dirname(path), file), `${where}: certificate-authority`)
      : undefined;
  return {
    url: parseServer(cluster.server, `${where}: server`),
    ca,
    serverName: cluster['tls-server-name'] || undefined,
    insecureSkipTlsVerify: cluster['insecure-skip-tls-verify'] ?? false,
  };
}

/** As in kubectl: data before files, a token file before a token, and a program only where there is nothing else. */
async function readCredentials(user: User, file: KubeConfigFile, where: string): Promise<Credentials> {
  const folder = dirname(resolve(file.path));
  const from = (path: string | null | undefined): string | undefined => (path ? resolve(folder, path) : undefined);
  const certificateFiles = { cert: from(user['client-certificate']), key: from(user['client-key']) };
  const certificateData = { cert: user['client-certificate-data'], key: user['client-key-data'] };
  checkPair(
    { cert: certificateData.cert ?? certificateFiles.cert, key: certificateData.key ?? certificateFiles.key },
    where,
  );
  const readPart = async (part: 'cert' | 'key', field: string): Promise<string | undefined> => {
    if (certificateData[part]) return decode(certificateData[part], `${where}: ${field}-data`);
    return certificateFiles[part] && readNamed(certificateFiles[part], `${where}: ${field}`);
  };
  const cert = await readPart('cert', 'client-certificate');
  const key = await readPart('key', 'client-key');
  if (user.exec && !user.token && !user.tokenFile && !cert) {
    return execCredentials({ config: user.exec, where: `${where}: exec`, folder, env: file.env, clock: file.clock });
  }
  const certificate = cert && key ? { cert, key } : undefined;
  const tokenFile = from(user.tokenFile);
  if (tokenFile)
    return fileCredentials({ clock: file.clock, where: `${where}: tokenFile`, token: tokenFile, certificate });
  return fixedCredentials({ token: user.token || undefined, certificate });
}

function checkPair(pair: { cert: string | null | undefined; key: string | null | undefined }, where: string): void {
  if (pair.cert && !pair.key) throw new Error(`${where}: has client-certificate but no client-key`);
  if (pair.key && !pair.cert) throw new Error(`${where}: has client-key but no client-certificate`);
}

/** Base64 of PEM. */
function decode(base64: string, where: string): string {
  const pem = Buffer.from(base64, 'base64').toString('utf8');
  if (!pem.includes('-----BEGIN ')) throw new Error(`${where}: is not base64 of a PEM text`);
  return pem;
}
