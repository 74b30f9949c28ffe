// Every name that kube-git puts on objects: group, labels, annotations. Nothing else spells them.

export const group = 'kubegit.appspero.com';
export const version = 'v1alpha1';
export const apiVersion = `${group}/${version}` as const;

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
