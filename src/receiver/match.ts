// Which GitHooks a push is for. Called by receive.ts; pure.
import type { GitHook } from '../api/githook.ts';
import type { Push } from '../api/push.ts';
import { matchesRef } from '../api/ref-pattern.ts';
import { canonicalRepository } from '../api/repository.ts';

export interface Found {
  /** Those of the repository with a pattern that fits. */
  readonly matched: readonly GitHook[];
  /** Those of the repository without one. */
  readonly others: readonly GitHook[];
}

/**
 * Finds those of the push's repository; those that are being deleted are left out. `ofRepository` gives the GitHooks of
 * one canonical repository.
 */
export function match(ofRepository: (repository: string) => readonly GitHook[], push: Push): Found {
  const pushed = new Set(push.cloneUrls.flatMap((url) => canonicalRepository(url) ?? []));
  const gitHooks = [...pushed].flatMap(ofRepository);
  const live = gitHooks.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const fits = (gitHook: GitHook): boolean => matchesRef(patternsOf(gitHook), push.ref);
  return { matched: live.filter(fits), others: live.filter((one) => !fits(one)) };
}

/** The patterns of a GitHook. One stored before the schema asked for them has none, and must not stop the others. */
export function patternsOf(gitHook: GitHook): readonly string[] {
  const patterns: unknown = gitHook.spec?.branches;
  return Array.isArray(patterns) ? patterns.filter((pattern) => typeof pattern === 'string') : [];
}
