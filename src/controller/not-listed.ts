// Why something could not be listed yet, in words for whoever asks why kube-git is not ready. Pure.
import { group } from '../api/keys.ts';
import { messageOf } from '../errors.ts';
import { isNotFound, type ResourceType } from '../kube/kube.ts';

/** What to do where the cluster does not know one of our own types; undefined for every other error and type. */
export function missingCrd(type: ResourceType, error: unknown): string | undefined {
  if (type.group !== group || !isNotFound(error)) return undefined;
  return `the cluster does not know ${type.plural}.${group}: install the CRDs with kubectl apply -f install/crds`;
}

/** What is waited for, and why. No error: nothing has gone wrong so far. */
export function notListed(type: ResourceType, error: unknown): string {
  const why = error === undefined ? '' : `: ${missingCrd(type, error) ?? messageOf(error)}`;
  return `the first list of ${type.plural}${why}`;
}
