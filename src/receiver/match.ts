// Which GitHooks a push is for. Called by receive.ts; pure but for a memory of what it worked out before.
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

/** Finds among `gitHooks` those of the push's repository; those that are being deleted are left out. */
export type Matcher = (gitHooks: readonly GitHook[], push: Push) => Found;

/** A matcher that works out each GitHook's repository once: a store holds thousands, and keeps the same object until it changes. */
export function createMatcher(): Matcher {
  const known = new WeakMap<GitHook, { readonly repository: string | undefined }>();
  const repositoryOf = (gitHook: GitHook): string | undefined => {
    const entry = known.get(gitHook) ?? { repository: canonicalOf(gitHook) };
    known.set(gitHook, entry);
    return entry.repository;
  };

  return (gitHooks, push) => {
    const pushed = new Set(push.cloneUrls.flatMap((url) => canonicalRepository(url) ?? []));
    const isOfRepository = (gitHook: GitHook): boolean => {
      const repository = repositoryOf(gitHook);
      return repository !== undefined && pushed.has(repository);
    };
    const live = gitHooks.filter((one) => isOfRepository(one) && one.metadata.deletionTimestamp === undefined);
    const fits = (gitHook: GitHook): boolean => matchesRef(patternsOf(gitHook), push.ref);
    return { matched: live.filter(fits), others: live.filter((one) => !fits(one)) };
  };
}

/** The patterns of a GitHook. One stored before the schema asked for them has none, and must not stop the others. */
export function patternsOf(gitHook: GitHook): readonly string[] {
  const patterns: unknown = gitHook.spec?.branches;
  return Array.isArray(patterns) ? patterns.filter((pattern) => typeof pattern === 'string') : [];
}

function canonicalOf(gitHook: GitHook): string | undefined {
  const url: unknown = gitHook.spec?.repository;
  return typeof url === 'string' ? canonicalRepository(url) : undefined;
}
