// Every name that kube-git puts on objects: group, labels, annotations. Nothing else spells them.
import type { GitHookRun } from './githookrun.ts';
import { formatKey, keyOf } from './object.ts';

export const group = 'kubegit.appspero.com';
export const version = 'v1alpha1';
export const apiVersion = `${group}/${version}` as const;

/** Where our objects live in the API. */
export const gitHookType = { group, version, plural: 'githooks' } as const;
export const runType = { group, version, plural: 'githookruns' } as const;

/** Label on runs and children: the GitHook's name, hashed when it is longer than a label may be. */
export const gitHookLabel = `${group}/githook`;
/** Label on runs: the pushed commit, cut to a label's length. */
export const commitLabel = `${group}/commit`;
/** Label on children: the run's name. */
export const runLabel = `${group}/run`;

/** Annotations of the 2019 program on what it created; kept, because people's tools read them. */
export const annotations = {
  branch: `${group}/branch`,
  commit: `${group}/commit`,
  author: `${group}/author`,
  gitHook: `${group}/githook`,
  repository: `${group}/repository`,
  slack: `${group}/slack`,
  github: `${group}/github`,
  started: `${group}/started`,
} as const;

/** Annotation on a child: its manifest's own clean-up time as JSON, while kube-git's stands in its place. */
export const ownTtlAnnotation = `${group}/own-ttl`;

/** Annotations by which people ask for something: cancel and rerun on a run, runNow on a GitHook. */
export const byHand = {
  cancel: `${group}/cancel`,
  rerun: `${group}/rerun`,
  runNow: `${group}/run-now`,
} as const;

/** The GitHook a run belongs to, as namespace/name. */
export function gitHookKey(run: GitHookRun): string {
  return formatKey({ namespace: keyOf(run).namespace, name: run.spec.gitHookRef.name });
}
