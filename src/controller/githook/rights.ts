// What the account of a GitHook must be allowed to do, as questions for the API server. Called by account-check.ts, which
// asks them; pure.
import type { GitHook } from '../../api/githook.ts';
import type { GitHookRun } from '../../api/githookrun.ts';
import type { ResourceType } from '../../kube/kube.ts';
import { resourceKinds } from '../../resource/registry.ts';
import { holderType, referencesOf } from '../credentials.ts';
import { typeOf } from '../steps/child.ts';

/** As in SelfSubjectAccessReview. */
export interface Right {
  readonly verb: 'create' | 'get';
  readonly type: ResourceType;
  /** Of the one object that is meant; without it all of the type. */
  readonly name?: string;
}

export interface Need {
  /** Continues "… may not". */
  readonly words: string;
  /** One of them is enough. */
  readonly anyOf: readonly Right[];
}

/** Without it an account is of no use to any GitHook. */
export const toCreateAnything: Need = toCreate(resourceKinds);

/** All that a push needs which was refused, as the GitHook is now: what it reads, and what it had come to create. */
export function neededBy(gitHook: GitHook, refused: GitHookRun): readonly Need[] {
  const { resource } = refused.status ?? {};
  const kinds = resourceKinds.filter(({ kind }) => resource === undefined || kind === resource.kind);
  const reads = Object.values(referencesOf(gitHook.spec)).map(({ kind, name }): Need => {
    return { words: `read the ${kind} "${name}"`, anyOf: [{ verb: 'get', type: holderType(kind), name }] };
  });
  const distinct = new Map([...reads, toCreate(kinds)].map((need) => [need.words, need]));
  return [...distinct.values()];
}

function toCreate(kinds: typeof resourceKinds): Need {
  return {
    words: `create ${kinds.map(({ title }) => `${title}s`).join(' or ')}`,
    anyOf: kinds.map((kind) => ({ verb: 'create', type: typeOf(kind) })),
  };
}
