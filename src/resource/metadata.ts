// The metadata of the object that is created for a run: the manifest's own, and what ties the object to its run.
// Every kind uses it; it knows nothing of any kind.
import type { GitHookRun } from '../api/githookrun.ts';
import { annotations, apiVersion, gitHookLabel, group, ownTtlAnnotation, runLabel } from '../api/keys.ts';
import { gitHookLabelValue } from '../api/labels.ts';
import { formatKey, type KubeObject, type ObjectMeta } from '../api/object.ts';
import { TerminalError } from '../errors.ts';
import { oneLine } from '../text.ts';
import { isMapping } from './mapping.ts';
import { childName } from './name.ts';

/** Fields that would take the object out of kube-git's hands, or that the API server answers with an internal error. */
const refused = {
  ownerReferences: 'kube-git sets the owner itself',
  finalizers: 'they would keep the resource from being cleaned up',
  resourceVersion: 'it belongs to an object that exists already',
} as const;

/** Names in messages come from the manifest: more than a valid one has is not shown. */
const shownLimit = 253;

export interface MetadataOptions {
  /** The manifest's own clean-up time, kept on the object while kube-git's stands in its place; undefined where it has none. */
  readonly ownTtl: unknown;
  /** Characters the name must stay below its limit. */
  readonly reserve?: number;
}

/**
 * Name, namespace, owner, labels and annotations of the run's object. Whatever else the manifest's metadata holds is passed on as
 * kubectl create does: the API server knows best.
 * Throws TerminalError: ManifestInvalid, NamespaceMismatch, FieldNotAllowed.
 */
export function renderMetadata(manifest: KubeObject, run: GitHookRun, options: MetadataOptions): ObjectMeta {
  refuseFields(manifest);
  const { generateName: _, ownerReferences: _owners, finalizers: _finalizers, ...own } = manifest.metadata;
  return {
    ...own,
    name: childName(manifest, run, options.reserve),
    namespace: namespaceOf(manifest, run),
    labels: { ...foreign(manifest, 'labels'), ...labelsOf(run) },
    annotations: { ...foreign(manifest, 'annotations'), ...annotationsOf(run, options.ownTtl) },
    ownerReferences: [ownerOf(run)],
  };
}

function refuseFields(manifest: KubeObject): void {
  for (const [field, why] of Object.entries(refused)) {
    const value: unknown = manifest.metadata[field as keyof ObjectMeta];
    const isEmpty =
      value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);
    if (isEmpty) continue;
    throw new TerminalError(
      'FieldNotAllowed',
      `The manifest sets metadata.${field}, which is not allowed: ${why}. Remove it.`,
    );
  }
}

function namespaceOf(manifest: KubeObject, run: GitHookRun): string {
  const mine = run.metadata.namespace ?? '';
  const wanted: unknown = manifest.metadata.namespace;
  if (wanted === undefined || wanted === null || wanted === '' || wanted === mine) return mine;
  const named = oneLine(String(wanted), shownLimit);
  throw new TerminalError(
    'NamespaceMismatch',
    `The manifest names the namespace "${named}", but its GitHook is in "${mine}": remove metadata.namespace or write ${mine}.`,
  );
}

/** The manifest's own labels or annotations, without those that only kube-git may set. Values stay as they are. */
function foreign(manifest: KubeObject, field: 'labels' | 'annotations'): Record<string, string> {
  const own: unknown = manifest.metadata[field];
  if (own === undefined || own === null) return {};
  if (!isMapping(own)) {
    throw new TerminalError(
      'ManifestInvalid',
      `The manifest's metadata.${field} is not a mapping: write name: value in it.`,
    );
  }
  const kept = Object.entries(own).filter(([key]) => !key.startsWith(`${group}/`));
  // A value of another type is for the API server to refuse, in its own words.
  return Object.fromEntries(kept) as Record<string, string>;
}

function labelsOf(run: GitHookRun): Record<string, string> {
  return { [gitHookLabel]: gitHookLabelValue(run.spec.gitHookRef.name), [runLabel]: run.metadata.name ?? '' };
}

/** As the program of 2019 wrote them; `started` there says whether the start has been told. */
function annotationsOf(run: GitHookRun, ownTtl: unknown): Record<string, string> {
  const { ref, commit, author, repository, gitHookRef, notification } = run.spec;
  const { github, slack } = notification ?? {};
  return {
    [annotations.branch]: ref,
    [annotations.commit]: commit,
    [annotations.author]: author ?? '',
    [annotations.gitHook]: formatKey({ namespace: run.metadata.namespace ?? '', name: gitHookRef.name }),
    [annotations.repository]: repository,
    ...(slack && { [annotations.slack]: slack }),
    ...(github && { [annotations.github]: github }),
    ...((slack || github) && { [annotations.started]: 'false' }),
    ...(ownTtl !== undefined && { [ownTtlAnnotation]: JSON.stringify(ownTtl) }),
  };
}

function ownerOf(run: GitHookRun) {
  const { name = '', uid = '' } = run.metadata;
  return { apiVersion, kind: 'GitHookRun', name, uid, controller: true };
}
