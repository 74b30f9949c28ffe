// The resource of a run in the API server: created once, recognised again, given back its own clean-up time.
// A child is ours only if the run controls it by UID; a name or a label proves nothing, since anybody can write them.
import type { GitHookRun } from '../../api/githookrun.ts';
import { isObjectName, type KubeObject, keyOf, type ObjectKey } from '../../api/object.ts';
import { TerminalError } from '../../errors.ts';
import { ApiError, ifFound, isAlreadyExists, type Kube, type ResourceType } from '../../kube/kube.ts';
import type { ResourceKind } from '../../resource/resource.ts';
import { type Acting, noPermission } from '../permission.ts';

/** Where objects of a kind live in the API. */
export function typeOf(kind: ResourceKind): ResourceType {
  const [group, version] = kind.apiVersion.includes('/') ? kind.apiVersion.split('/') : ['', kind.apiVersion];
  return { group: group ?? '', version: version ?? '', plural: kind.plural };
}

export function isControlledBy(child: KubeObject, run: GitHookRun): boolean {
  const owners = child.metadata.ownerReferences;
  return Array.isArray(owners) && owners.some((owner) => owner?.controller === true && owner.uid === run.metadata.uid);
}

/**
 * The run's object as it is now; undefined where there is none. `kube` is kube-git's own account, which may read what it
 * watches: the run's ServiceAccount needs no right to read.
 */
export async function getChild(
  kube: Kube,
  kind: ResourceKind,
  run: GitHookRun,
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  return getNamed(kube, kind, { namespace: keyOf(run).namespace, name: run.status?.resource?.name ?? '' }, signal);
}

/** A name that no object can have (it came from a manifest) is nobody's, and not worth a request. */
async function getNamed(
  kube: Kube,
  kind: ResourceKind,
  key: ObjectKey,
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  if (!isObjectName(key.name)) return undefined;
  return ifFound(kube.get<KubeObject>(typeOf(kind), key, { signal }));
}

/** For whom an object is created, and by whom. */
interface Owner {
  /** kube-git's own account. */
  readonly kube: Kube;
  /** The run's account. */
  readonly acting: Acting;
  readonly kind: ResourceKind;
  readonly run: GitHookRun;
}

/**
 * Creates the object, or finds that an earlier attempt did: the name derives from the run, so there is never a second.
 * Throws TerminalError: NameTaken, NoPermission, Forbidden, ManifestRefused, KindNotInstalled, with the API server's words.
 */
export async function createChild(wanted: KubeObject, owner: Owner, signal: AbortSignal): Promise<KubeObject> {
  const { acting, kind } = owner;
  try {
    return await acting.kube.create<KubeObject>(typeOf(kind), wanted, { signal });
  } catch (error) {
    if (isAlreadyExists(error)) return adopt(keyOf(wanted), owner, signal);
    if (error instanceof ApiError) throw refusal(error, owner);
    throw error;
  }
}

async function adopt(key: ObjectKey, { kube, kind, run }: Owner, signal: AbortSignal): Promise<KubeObject> {
  const found = await getNamed(kube, kind, key, signal);
  if (found === undefined) throw new Error(`${kind.title} "${key.name}" was there and is gone`);
  if (isControlledBy(found, run)) return found;
  throw new TerminalError(
    'NameTaken',
    `The name "${key.name}" is taken in namespace "${key.namespace}" by another ${kind.title}, which this run did not create. Delete it or change metadata.name in ${run.spec.manifest}, then push again.`,
  );
}

/** The API server's no: final where a person must change something, else the error itself, to be tried again. */
function refusal(error: ApiError, { acting, kind, run }: Owner): Error {
  const file = `${run.spec.manifest} at commit ${run.spec.commit.slice(0, 12)}`;
  // RBAC says «User "x" cannot create resource …»; quotas, Pod Security and webhooks answer 403 too, in words of their own.
  if (error.status === 403 && /\bUser ".*" cannot /.test(error.message)) return noPermission(error, run, acting);
  if (error.status === 403)
    return new TerminalError('Forbidden', `The cluster refuses ${file}: ${error.message}`, { cause: error });
  // A namespace that is gone is a 404 too, and takes the run with it.
  if (error.status === 404 && !error.message.startsWith('namespaces ')) {
    return new TerminalError(
      'KindNotInstalled',
      `The cluster does not know ${kind.apiVersion} ${kind.kind}. ${kind.howToInstall ?? 'Install it.'} Then push again.`,
      { cause: error },
    );
  }
  if (error.status === 400 || error.status === 413 || error.status === 422) {
    return new TerminalError(
      'ManifestRefused',
      `The API server refuses ${file}: ${error.message}. Correct the manifest and push again.`,
      { cause: error },
    );
  }
  return error;
}

/** An answer that may be another next time and is worth a person's look, such as that of an admission webhook that is away. */
export function isServerTrouble(error: unknown): error is ApiError {
  return error instanceof ApiError && (error.status === 500 || error.status === 504);
}

/**
 * Gives an ended child its own clean-up time. A child that is gone, or that may not be patched, is left as it is: returns the
 * reason, else undefined. Throws what may work later, conflicts among it.
 */
export async function handBack(
  kube: Kube,
  kind: ResourceKind,
  child: KubeObject,
  signal: AbortSignal,
): Promise<string | undefined> {
  const patch = kind.handBack(child);
  const { uid } = child.metadata;
  try {
    // With the UID in the patch another object of the same name is a conflict, not a victim.
    await kube.patch(
      typeOf(kind),
      keyOf(child),
      { ...patch, metadata: { ...(patch['metadata'] ?? {}), uid } },
      { signal },
    );
    return undefined;
  } catch (error) {
    if (error instanceof ApiError && [400, 403, 404, 422].includes(error.status)) return error.message;
    throw error;
  }
}
