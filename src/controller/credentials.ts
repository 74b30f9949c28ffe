// The credentials a repository is fetched with: keys of Secrets and ConfigMaps that a run, or a GitHook that looks for pushes,
// names in its namespace. Read anew for each fetch, so that a rotated Secret counts at once.
import type { GitHook } from '../api/githook.ts';
import type { GitHookRun } from '../api/githookrun.ts';
import { isObjectName } from '../api/object.ts';
import { TerminalError } from '../errors.ts';
import type { Credentials } from '../git/git.ts';
import { ApiError, isNotFound, type ResourceType, type StoredObject } from '../kube/kube.ts';
import { type Acting, noPermission } from './permission.ts';

const plurals = { Secret: 'secrets', ConfigMap: 'configmaps' } as const;

/** A Secret's values are base64, a ConfigMap's are text. */
interface Holder extends StoredObject {
  readonly data?: Readonly<Record<string, string>>;
}

/** A key that the GitHook names. */
interface Reference {
  /** The field that names it, for messages. */
  readonly field: string;
  readonly kind: keyof typeof plurals;
  readonly name: string;
  readonly key: string;
}

type References = Readonly<Partial<Record<keyof Credentials, Reference>>>;

/**
 * Reads what the spec of a run or a GitHook names. Throws TerminalError: SecretNotFound, SecretKeyNotFound, ConfigMapNotFound,
 * ConfigMapKeyNotFound, NoPermission.
 */
export async function readCredentials(
  run: GitHookRun | GitHook,
  acting: Acting,
  signal: AbortSignal,
): Promise<Credentials> {
  const holders = new Map<string, Promise<Holder>>();
  const read = async (reference: Reference | undefined): Promise<string | undefined> => {
    if (reference === undefined) return undefined;
    const { kind, name } = reference;
    if (!isObjectName(name)) throw notFound(reference, run);
    const key = { namespace: run.metadata.namespace ?? '', name };
    const holder = holders.get(`${kind}/${name}`) ?? acting.kube.get<Holder>(holderType(kind), key, { signal });
    holders.set(`${kind}/${name}`, holder);
    return valueIn(await holder.catch((error) => explain(error, reference, { run, acting })), reference);
  };
  const references = referencesOf(run.spec);
  const username = await read(references.username);
  const password = await read(references.password);
  const sshPrivateKey = await read(references.sshPrivateKey);
  const knownHosts = await read(references.knownHosts);
  return {
    ...(username !== undefined && { username: username.trimEnd() }),
    ...(password !== undefined && { password: password.trimEnd() }),
    ...(sshPrivateKey !== undefined && { sshPrivateKey }),
    ...(knownHosts !== undefined && { knownHosts }),
  };
}

/** What a spec names, by what it is for. An empty name is none: the 2019 program's Go type leaves no field out. */
export function referencesOf(spec: GitHook['spec'] | GitHookRun['spec']): References {
  const { usernameSecret, passwordSecret, sshPrivateKeySecret } = spec;
  const knownHosts = knownHostsOf(spec);
  return {
    ...(usernameSecret?.name && { username: { field: 'usernameSecret', kind: 'Secret', ...usernameSecret } }),
    ...(passwordSecret?.name && { password: { field: 'passwordSecret', kind: 'Secret', ...passwordSecret } }),
    ...(sshPrivateKeySecret?.name && {
      sshPrivateKey: { field: 'sshPrivateKeySecret', kind: 'Secret', ...sshPrivateKeySecret },
    }),
    ...(knownHosts && { knownHosts }),
  };
}

/** Where Secrets and ConfigMaps live in the API. */
export function holderType(kind: Reference['kind']): ResourceType {
  return { group: '', version: 'v1', plural: plurals[kind] };
}

function knownHostsOf(spec: GitHook['spec'] | GitHookRun['spec']): Reference | undefined {
  const { configMapKeyRef, secretKeyRef } = spec.knownHosts ?? {};
  if (configMapKeyRef) return { field: 'knownHosts.configMapKeyRef', kind: 'ConfigMap', ...configMapKeyRef };
  return secretKeyRef && { field: 'knownHosts.secretKeyRef', kind: 'Secret', ...secretKeyRef };
}

function valueIn(holder: Holder, { field, kind, name, key }: Reference): string {
  const data = holder.data ?? {};
  const value = Object.hasOwn(data, key) ? data[key] : undefined;
  if (value !== undefined && value !== '')
    return kind === 'Secret' ? Buffer.from(value, 'base64').toString('utf8') : value;
  const keys = Object.keys(data).sort().join(', ') || 'none';
  const message = `The ${kind} "${name}" has no key "${key}" with a value, which spec.${field} names. Its keys: ${keys}. Correct spec.${field}.key or add the key to the ${kind}.`;
  throw kind === 'Secret'
    ? new TerminalError('SecretKeyNotFound', message)
    : new TerminalError('ConfigMapKeyNotFound', message);
}

function explain(
  error: unknown,
  reference: Reference,
  { run, acting }: { readonly run: GitHookRun | GitHook; readonly acting: Acting },
): never {
  if (isNotFound(error)) throw notFound(reference, run, { cause: error });
  if (error instanceof ApiError && error.status === 403) throw noPermission(error, run, acting);
  throw error;
}

function notFound({ field, kind, name }: Reference, run: GitHookRun | GitHook, options?: ErrorOptions): TerminalError {
  const message = `There is no ${kind} "${name}" in namespace "${run.metadata.namespace}", which spec.${field} names. Create it, or correct spec.${field}.name.`;
  return kind === 'Secret'
    ? new TerminalError('SecretNotFound', message, options)
    : new TerminalError('ConfigMapNotFound', message, options);
}
