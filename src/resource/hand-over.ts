// Who cleans up a resource: kube-git while the run goes on, its manifest's own clean-up time afterwards.
// A leader that was stopped and wakes up must find the name it was about to create taken, or it would create it again.
import { annotations, ownTtlAnnotation } from '../api/keys.ts';
import type { KubeObject } from '../api/object.ts';
import { textAt } from './mapping.ts';

/** Seconds a resource is kept once it ended while its outcome is not recorded: longer than any outage of kube-git. */
export const handOverSeconds = 30 * 24 * 60 * 60;

/** Seconds a resource is kept at least once its outcome is recorded: longer than a leader sleeps before it has lost its lease and is ended. */
export const leastSeconds = 15 * 60;

/** What the manifest asked for, as it was kept on the live object; undefined where it asked for nothing or another hand spoilt it. */
export function ownTtlOf(live: KubeObject): unknown {
  try {
    return JSON.parse(textAt(live, 'metadata', 'annotations', ownTtlAnnotation)) ?? undefined;
  } catch {
    return undefined;
  }
}

/**
 * The merge patch of annotations that have had their time. The program of 2019 reads started, github and slack and announces what it
 * finds: after a roll-back to it, runs that were told long ago would be told again.
 */
export const annotationsToRemove: Readonly<Record<string, null>> = {
  [ownTtlAnnotation]: null,
  [annotations.started]: null,
  [annotations.github]: null,
  [annotations.slack]: null,
};
