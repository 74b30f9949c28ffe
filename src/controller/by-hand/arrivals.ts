// GitHooks that had the annotation run-now when kube-git first saw them. Nobody has asked by hand there: they come from a backup,
// or from a file that is applied to a new cluster. Their first status takes the value for answered.
import { runNowAsked } from '../../api/by-hand.ts';
import type { GitHook } from '../../api/githook.ts';

export class Arrivals {
  /** The value of the annotation, by UID, until the first status is seen. */
  readonly #values = new Map<string, string>();

  /** To be called with each GitHook that the watch lists or shows for the first time. */
  note(gitHook: GitHook): void {
    const value = runNowAsked(gitHook);
    if (value !== undefined && isNew(gitHook)) this.#values.set(gitHook.metadata.uid ?? '', value);
  }

  /** The value that the GitHook came with; undefined where it came without one, or has a status. */
  valueOf(gitHook: GitHook): string | undefined {
    return isNew(gitHook) ? this.#values.get(gitHook.metadata.uid ?? '') : undefined;
  }

  /** To be called with each GitHook that has changed or is gone. */
  forget(gitHook: GitHook): void {
    if (!isNew(gitHook)) this.#values.delete(gitHook.metadata.uid ?? '');
  }
}

function isNew({ status, metadata }: GitHook): boolean {
  return status?.observedGeneration === undefined && metadata.deletionTimestamp === undefined;
}
