// What was decided about a delivery, and why: the whole answer to "what happened to my push" that the forge gets to keep.
// Made by receive.ts, turned into HTTP by answer.ts; must not know of either.
import type { GitHook } from '../api/githook.ts';
import { formatKey, keyOf } from '../api/object.ts';

export interface Outcome {
  /** The forge's id of the delivery; empty where nothing was verified. */
  readonly delivery: string;
  /** accepted: every matching GitHook has its run. unavailable: sent again later, it may be. */
  readonly decision: 'accepted' | 'ignored' | 'refused' | 'unavailable';
  /** One word in CamelCase. */
  readonly reason: string;
  /** The same as a sentence, for people. */
  readonly message: string;
  /** Every GitHook of the repository, with what was decided for it. */
  readonly githooks: readonly GitHookDecision[];
  /** The push's runs as namespace/name, also those that an earlier delivery made. */
  readonly runs: readonly string[];
}

export interface GitHookDecision {
  /** namespace/name. */
  readonly name: string;
  readonly decision: 'RunCreated' | 'Duplicate' | 'NotMatched' | 'Refused' | 'Unavailable';
  readonly reason?: string;
  readonly message?: string;
  /** namespace/name. */
  readonly run?: string;
}

/** An outcome that concerns no GitHook. */
export function outcome(delivery: string, decision: Outcome['decision'], reason: string, message: string): Outcome {
  return { delivery, decision, reason, message, githooks: [], runs: [] };
}

/** The same for everything that cannot be verified: whether a path or a secret is wrong is nobody's business. */
export const unverified: Outcome = outcome(
  '',
  'refused',
  'Unverified',
  "no webhook is known here under this path and signature: check the URL and the secret in the forge's webhook settings",
);

/** A decision, with the GitHook's name. */
export function decisionFor(gitHook: GitHook, decision: Omit<GitHookDecision, 'name'>): GitHookDecision {
  return { name: formatKey(keyOf(gitHook)), ...decision };
}

/** What the decisions come to: one that may work later holds up the answer, one that never will does not. */
export function conclude(delivery: string, ref: string, githooks: readonly GitHookDecision[]): Outcome {
  const runs = githooks.flatMap(({ run }) => run ?? []);
  const has = (decision: GitHookDecision['decision']): boolean => githooks.some((one) => one.decision === decision);
  if (has('Unavailable')) {
    const message = 'the API server could not store every run: send the delivery again, what is stored is not repeated';
    return { ...outcome(delivery, 'unavailable', 'NotStored', message), githooks, runs };
  }
  if (runs.length > 0) {
    const [reason, message] = has('RunCreated')
      ? ['RunsCreated', `${ref} runs`]
      : ['Duplicate', 'this push has its runs already'];
    return { ...outcome(delivery, 'accepted', reason, message), githooks, runs };
  }
  if (has('Refused')) {
    const message = 'no run could be created: see the reason at each GitHook, correct it and push again';
    return { ...outcome(delivery, 'refused', 'RunsRefused', message), githooks, runs };
  }
  const message = githooks.length === 0 ? 'no GitHook names this repository' : `no GitHook has a pattern for ${ref}`;
  return { ...outcome(delivery, 'ignored', 'NoMatch', message), githooks, runs };
}
