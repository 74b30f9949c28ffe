// As whom kube-git acts for a run or GitHook, and what it says where that account may not.
import type { GitHook } from '../api/githook.ts';
import type { GitHookRun } from '../api/githookrun.ts';
import { isObjectName } from '../api/object.ts';
import { tenantServiceAccount } from '../config.ts';
import { TerminalError } from '../errors.ts';
import type { ApiError, Kube } from '../kube/kube.ts';

/** How kube-git was installed, as far as rights depend on it. */
export interface Installation {
  /** The account of GitHooks that name none; empty is kube-git itself. */
  readonly defaultServiceAccount: string;
  /** The only namespace it serves; empty is all. */
  readonly namespace: string;
  /** What `kubectl apply -k` is given to allow kube-git in a namespace. */
  readonly tenantBase: string;
}

export interface Acting {
  /** The API server as seen by the account. */
  readonly kube: Kube;
  /** What to do where the account, or kube-git's right to act as it, is missing something. Without a full stop. */
  readonly remedy: string;
}

/**
 * As the ServiceAccount of the run or GitHook; as kube-git itself where neither the GitHook nor the installation names one.
 * Throws TerminalError NoPermission for a name that no account can have.
 */
export function actingFor(run: GitHookRun | GitHook, kube: Kube, installation: Installation): Acting {
  const name = accountOf(run, installation);
  const namespace = run.metadata.namespace ?? '';
  const remedy = remedyOf(name, namespace, installation);
  if (name === '') return { kube, remedy };
  if (isObjectName(name)) return { kube: kube.as({ namespace, name }), remedy };
  throw new TerminalError(
    'NoPermission',
    `There can be no ServiceAccount "${name}": a name has lower-case letters, digits, - and . only. Correct spec.serviceAccountName, then push again.`,
  );
}

/** The name of the account; empty is kube-git itself. */
export function accountOf(run: GitHookRun | GitHook, { defaultServiceAccount }: Installation): string {
  return run.spec.serviceAccountName || defaultServiceAccount;
}

/** A 403 that says who lacks which right, in the API server's words, with what to do. */
export function noPermission(error: ApiError, run: GitHookRun | GitHook, { remedy }: Acting): TerminalError {
  const { message } = error;
  return new TerminalError(
    'NoPermission',
    `${accountIn(message)} lacks a permission in namespace "${run.metadata.namespace}": ${message}. ${remedy}, then push again.`,
    { cause: error },
  );
}

/** Who was refused. Only the API server knows: the GitHook's account, the installation's default, or kube-git's own, which may not act as another. */
export function accountIn(message: string): string {
  const [, namespace, name] = /\bUser "system:serviceaccount:([^:"]+):([^:"]+)" cannot /.exec(message) ?? [];
  return name === undefined ? "kube-git's account" : `ServiceAccount "${name}" of namespace "${namespace}"`;
}

/** One command where the tenant base makes the account, its rights and the right to act as it. */
function remedyOf(account: string, namespace: string, installation: Installation): string {
  if (account === tenantServiceAccount) {
    return `Whoever administers the namespace allows it with: kubectl apply -k ${installation.tenantBase} -n ${namespace}`;
  }
  const byHand = 'Give it that permission with a Role and a RoleBinding';
  const servesAll = account === '' && installation.namespace === '';
  return servesAll ? `${byHand}, or in every namespace as install/overlays/cluster-wide does` : byHand;
}
