// As whom kube-git acts for a run, and what it says where that account may not.
import type { GitHookRun } from '../api/githookrun.ts';
import { TerminalError } from '../errors.ts';
import type { ApiError, Kube } from '../kube/kube.ts';

/** The API server as seen by the ServiceAccount of the run; as kube-git itself where neither the GitHook nor the installation names one. */
export function actingFor(run: GitHookRun, kube: Kube, defaultAccount: string): Kube {
  const name = run.spec.serviceAccountName || defaultAccount;
  return name === '' ? kube : kube.as({ namespace: run.metadata.namespace ?? '', name });
}

/** A 403 that says the account lacks a right, in the API server's words with what to do. */
export function noPermission(error: ApiError, run: GitHookRun): TerminalError {
  const account = run.spec.serviceAccountName
    ? `ServiceAccount "${run.spec.serviceAccountName}"`
    : "kube-git's account";
  return new TerminalError(
    'NoPermission',
    `${account} lacks a permission in namespace "${run.metadata.namespace}": ${error.message}. Give it that permission with a Role and a RoleBinding, then push again.`,
    { cause: error },
  );
}
