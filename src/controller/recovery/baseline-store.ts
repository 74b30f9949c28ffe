// A GitHook's baseline in the API server: a ConfigMap beside it, owned by it, read and written as the GitHook's account.
// Whoever may write ConfigMaps of that namespace can make kube-git miss a push there, or run one again; nothing more.
import type { GitHook } from '../../api/githook.ts';
import { apiVersion, gitHookLabel } from '../../api/keys.ts';
import { gitHookLabelValue } from '../../api/labels.ts';
import { keyOf, type ObjectMeta } from '../../api/object.ts';
import { TerminalError } from '../../errors.ts';
import { ApiError, isNotFound, type StoredObject } from '../../kube/kube.ts';
import { type Acting, noPermission } from '../permission.ts';
import type { Baseline } from './baseline.ts';

const configMapType = { group: '', version: 'v1', plural: 'configmaps' };

interface ConfigMap extends StoredObject {
  readonly metadata: ObjectMeta;
  readonly data?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
}

/** What is stored; `baseline` is undefined where there is none that can be used. */
export interface Stored {
  readonly baseline: Baseline | undefined;
  /** Of the ConfigMap; undefined where there is none. */
  readonly resourceVersion: string | undefined;
}

/** Named by the UID: a GitHook that is made anew under the same name starts anew. */
function nameFor(gitHook: GitHook): string {
  return `kube-git-refs-${gitHook.metadata.uid}`;
}

/** Throws TerminalError NoPermission, and what may work later. */
export async function readBaseline(gitHook: GitHook, acting: Acting, signal: AbortSignal): Promise<Stored> {
  const key = { namespace: keyOf(gitHook).namespace, name: nameFor(gitHook) };
  try {
    const stored = await acting.kube.get<ConfigMap>(configMapType, key, { signal });
    return { baseline: parse(stored), resourceVersion: stored.metadata.resourceVersion };
  } catch (error) {
    if (isNotFound(error)) return { baseline: undefined, resourceVersion: undefined };
    throw explain(error, gitHook, acting);
  }
}

/** Writes it in the place of what was read; a conflict is thrown where somebody else has written since. */
export async function writeBaseline(
  gitHook: GitHook,
  baseline: Baseline,
  {
    acting,
    resourceVersion,
    signal,
  }: Pick<Stored, 'resourceVersion'> & { readonly acting: Acting; readonly signal: AbortSignal },
): Promise<void> {
  const object = configMapOf(gitHook, baseline);
  try {
    if (resourceVersion === undefined) await acting.kube.create(configMapType, object, { signal });
    else
      await acting.kube.replace(
        configMapType,
        { ...object, metadata: { ...object.metadata, resourceVersion } },
        { signal },
      );
  } catch (error) {
    throw explain(error, gitHook, acting);
  }
}

function configMapOf(gitHook: GitHook, { repository, branches, asOfMs, digests }: Baseline): ConfigMap {
  const { name = '', uid = '' } = gitHook.metadata;
  return {
    ...{ apiVersion: 'v1', kind: 'ConfigMap' },
    metadata: {
      name: nameFor(gitHook),
      namespace: keyOf(gitHook).namespace,
      labels: { [gitHookLabel]: gitHookLabelValue(name) },
      ownerReferences: [{ apiVersion, kind: 'GitHook', name, uid, controller: true }],
    },
    data: { repository, branches: JSON.stringify(branches), asOf: new Date(asOfMs).toISOString() },
    binaryData: { refs: digests.toString('base64') },
  };
}

/** Undefined for what kube-git did not write like this: then it is taken anew. */
function parse({ data = {}, binaryData = {} }: ConfigMap): Baseline | undefined {
  const { repository, branches, asOf = '' } = data;
  const asOfMs = Date.parse(asOf);
  const patterns = parseList(branches);
  if (repository === undefined || patterns === undefined || Number.isNaN(asOfMs)) return undefined;
  return { repository, branches: patterns, asOfMs, digests: Buffer.from(binaryData['refs'] ?? '', 'base64') };
}

function parseList(text: string | undefined): readonly string[] | undefined {
  try {
    const list: unknown = JSON.parse(text ?? '');
    return Array.isArray(list) && list.every((one) => typeof one === 'string') ? list : undefined;
  } catch {
    return undefined;
  }
}

/** RBAC says «User "x" cannot create resource …»; quotas and policies answer 403 too, in words of their own. */
function explain(error: unknown, gitHook: GitHook, acting: Acting): unknown {
  if (
    error instanceof ApiError &&
    [403, 413, 422].includes(error.status) &&
    !/\bUser ".*" cannot /.test(error.message)
  ) {
    const message = `The cluster refuses the ConfigMap ${nameFor(gitHook)}, which remembers where branches and tags were: ${error.message}`;
    return new TerminalError('Forbidden', message, { cause: error });
  }
  return error instanceof ApiError && error.status === 403 ? noPermission(error, gitHook, acting) : error;
}
