// The credentials a run's repository is fetched with: keys of Secrets in its namespace, read anew for each fetch,
// so that a rotated Secret counts at once.
import type { GitHookRun, GitHookRunSpec } from '../api/githookrun.ts';
import { TerminalError } from '../errors.ts';
import type { Credentials } from '../git/git.ts';
import { ApiError, isNotFound, type Kube, type StoredObject } from '../kube/kube.ts';
import { noPermission } from './permission.ts';

const secretType = { group: '', version: 'v1', plural: 'secrets' } as const;

interface Secret extends StoredObject {
  readonly data?: Readonly<Record<string, string>>;
}

type Field = 'usernameSecret' | 'passwordSecret' | 'sshPrivateKeySecret';

/** Reads what the run's spec names. Throws TerminalError: SecretNotFound, SecretKeyNotFound, NoPermission. */
export async function readCredentials(run: GitHookRun, kube: Kube, signal: AbortSignal): Promise<Credentials> {
  const namespace = run.metadata.namespace ?? '';
  const secrets = new Map<string, Promise<Secret>>();
  const read = async (field: Field): Promise<string | undefined> => {
    const reference = run.spec[field];
    if (reference === undefined) return undefined;
    const { name } = reference;
    const secret = secrets.get(name) ?? kube.get<Secret>(secretType, { namespace, name }, { signal });
    secrets.set(name, secret);
    return valueIn(await secret.catch((error) => explain(error, field, run)), field, run.spec);
  };
  const username = await read('usernameSecret');
  const password = await read('passwordSecret');
  const sshPrivateKey = await read('sshPrivateKeySecret');
  return {
    ...(username !== undefined && { username: username.trimEnd() }),
    ...(password !== undefined && { password: password.trimEnd() }),
    ...(sshPrivateKey !== undefined && { sshPrivateKey }),
  };
}

function valueIn(secret: Secret, field: Field, spec: GitHookRunSpec): string {
  const { name, key } = spec[field] ?? { name: '', key: '' };
  const data = secret.data ?? {};
  const value = Object.hasOwn(data, key) ? data[key] : undefined;
  if (value !== undefined && value !== '') return Buffer.from(value, 'base64').toString('utf8');
  const keys = Object.keys(data).sort().join(', ') || 'none';
  throw new TerminalError(
    'SecretKeyNotFound',
    `The Secret "${name}" has no key "${key}" with a value, which spec.${field} names. Its keys: ${keys}. Correct spec.${field}.key or add the key to the Secret.`,
  );
}

function explain(error: unknown, field: Field, run: GitHookRun): never {
  const namespace = run.metadata.namespace ?? '';
  const name = run.spec[field]?.name ?? '';
  if (isNotFound(error)) {
    throw new TerminalError(
      'SecretNotFound',
      `There is no Secret "${name}" in namespace "${namespace}", which spec.${field} names. Create it, or correct spec.${field}.name.`,
      { cause: error },
    );
  }
  if (error instanceof ApiError && error.status === 403) throw noPermission(error, run);
  throw error;
}
