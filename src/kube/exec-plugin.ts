// Credentials from a program (client.authentication.k8s.io), as clusters of the large providers use them.
// https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
// Used by kubeconfig.ts. provideClusterInfo is not supported: the program is told the interactive flag only.
import { execFile } from 'node:child_process';
import { isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import * as v from 'valibot';
import type { Clock } from '../clock.ts';
import { type Credentials, type DatedLogin, LoadedCredentials } from './credentials.ts';

export const execSchema = v.object({
  apiVersion: v.picklist(['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1']),
  command: v.pipe(v.string(), v.nonEmpty()),
  args: v.nullish(v.array(v.string()), []),
  env: v.nullish(v.array(v.object({ name: v.string(), value: v.string() })), []),
  installHint: v.nullish(v.string(), ''),
});

const answerSchema = v.object({
  kind: v.literal('ExecCredential'),
  status: v.object({
    expirationTimestamp: v.nullish(v.pipe(v.string(), v.isoTimestamp())),
    token: v.nullish(v.string()),
    clientCertificateData: v.nullish(v.string()),
    clientKeyData: v.nullish(v.string()),
  }),
});

/** A program that talks to a provider's login service should be done by then. */
const TIME_LIMIT_MS = 30_000;
const MAX_OUTPUT_BYTES = 1024 * 1024;
/** How much of what a failing program wrote to standard error is shown. */
const SHOWN_ERROR_LENGTH = 200;

export interface ExecPlugin {
  readonly config: v.InferOutput<typeof execSchema>;
  /** Where the configuration says so, for errors. */
  readonly where: string;
  /** The kubeconfig's folder: a command with a slash in it is looked up from there. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
}

/** Runs the program when credentials are needed; kept until they expire or are refused. */
export function execCredentials(plugin: ExecPlugin): Credentials {
  return new LoadedCredentials(() => load(plugin), plugin.clock);
}

async function load(plugin: ExecPlugin): Promise<DatedLogin> {
  const output = await run(plugin);
  const { status } = parse(output, plugin.where);
  const { token, clientCertificateData: cert, clientKeyData: key } = status;
  if (!token && !(cert && key)) throw new Error(`${plugin.where}: the program gave neither a token nor a certificate`);
  return {
    login: { token: token || undefined, certificate: cert && key ? { cert, key } : undefined },
    staleAt: status.expirationTimestamp ? Date.parse(status.expirationTimestamp) : Number.POSITIVE_INFINITY,
  };
}

async function run({ config, where, folder, env, clock: _ }: ExecPlugin): Promise<string> {
  const command =
    config.command.includes('/') && !isAbsolute(config.command) ? join(folder, config.command) : config.command;
  const info = { apiVersion: config.apiVersion, kind: 'ExecCredential', spec: { interactive: false } };
  const added = Object.fromEntries(config.env.map(({ name, value }) => [name, value]));
  try {
    const child = promisify(execFile)(command, config.args, {
      env: { ...env, ...added, KUBERNETES_EXEC_INFO: JSON.stringify(info) },
      timeout: TIME_LIMIT_MS,
      maxBuffer: MAX_OUTPUT_BYTES,
    });
    child.child.stdin?.end();
    return (await child).stdout;
  } catch (error) {
    throw new Error(
      `${where}: ${config.command} ${describeFailure(error)}${config.installHint ? ` (${config.installHint})` : ''}`,
    );
  }
}

/** Without the program's output and arguments: they may hold secrets. */
function describeFailure(error: unknown): string {
  const failure = error as { code?: unknown; killed?: boolean; stderr?: string };
  if (failure.code === 'ENOENT') return 'was not found';
  if (failure.killed) return `did not end within ${TIME_LIMIT_MS / 1000} s`;
  return `failed (${String(failure.code)}): ${(failure.stderr ?? '').trim().slice(0, SHOWN_ERROR_LENGTH)}`;
}

function parse(output: string, where: string): v.InferOutput<typeof answerSchema> {
  let value: unknown;
  try {
    value = JSON.parse(output);
  } catch {
    throw new Error(`${where}: the program's output is not JSON`);
  }
  const result = v.safeParse(answerSchema, value);
  if (result.success) return result.output;
  const field = v.getDotPath(result.issues[0]) ?? 'the output';
  throw new Error(`${where}: the program's ExecCredential: ${field} is missing or not as it should be`);
}
