// As whom kube-git acts for a run, and what it says where that account may not.
import type { GitHook } from '../api/githook.ts';
import type { GitHookRun } from '../api/githookrun.ts';
import { isObjectName } from '../api/object.ts';
import { tenantServiceAccount } from '../config.ts';
import { TerminalError } from '../errors.ts';
import type { ApiError, Kube } from '../kube/kube.ts';

/**
 * The API server as seen by the ServiceAccount of the run or GitHook; as kube-git itself where neither the GitHook nor the installation
 * names one. Throws TerminalError NoPermission for a name that no account can have.
 */
export function actingFor(run: GitHookRun | GitHook, kube: Kube, defaultAccount: string): Kube {
  const name = run.spec.serviceAccountName || defaultAccount;
  if (name === '') return kube;
  if (isObjectName(name)) return kube.as({ namespace: run.metadata.namespace ?? '', name });
  throw new TerminalError(
    'NoPermission',
    `There can be no ServiceAccount "${name}": a name has lower-case letters, digits, - and . only. Correct spec.serviceAccountName, then push again.`,
  );
}

/** A 403 that says who lacks which right, in the API server's words, with what to do. */
export function noPermission(error: ApiError, run: GitHookRun): TerminalError {
  const { message } = error;
  return new TerminalError(
    'NoPermission',
    `${accountIn(message)} lacks a permission in namespace "${run.metadata.namespace}": ${message}. ${remedy(message, run.metadata.namespace ?? '')}, then push again.`,
    { cause: error },
  );
}

/** Who was refused. Only the API server knows: the GitHook's account, the installation's default, or kube-git's own, which may not act as another. */
export function accountIn(message: string): string {
  const [, namespace, name] = /\bUser "system:serviceaccount:([^:"]+):([^:"]+)" cannot /.exec(message) ?? [];
  return name === undefined ? "kube-git's account" : `ServiceAccount "${name}" of namespace "${namespace}"`;
}

/** What to do about such a refusal: the one command where it is the account of install/tenant that is missing or lacks a right. */
export function remedy(message: string, namespace: string): string {
  const isTenants =
    message.includes(`system:serviceaccount:${namespace}:${tenantServiceAccount}"`) ||
    message.startsWith(`serviceaccounts "${tenantServiceAccount}" is forbidden`);
  return isTenants
    ? `Whoever administers the namespace allows it with: kubectl apply -k install/tenant -n ${namespace}`
    : 'Give it that permission with a Role and a RoleBinding';
}
