// What a look at a repository's refs comes to, for one GitHook: what has moved, since when that is known, and what nobody
// has told of for so long that it counts as lost. Pure. Called by poller.ts.
import type { ListedRef, RefList } from '../../git/git.ts';
import { type Baseline, digestsOf, joined, knownIn } from './baseline.ts';

/** A ref that is not where it was. */
export interface Sighting extends ListedRef {
  readonly ref: string;
  /** When it was last looked at and was elsewhere, or not there. Milliseconds since 1970, as below. */
  readonly unseenMs: number;
  readonly firstSeenMs: number;
}

export interface LookFacts extends RefList {
  /** When the refs were asked for. */
  readonly startedMs: number;
  readonly baseline: Baseline;
  /** What the look before this one, by this process, left open. */
  readonly before: Memory | undefined;
  /** How long webhooks have to tell of a push themselves. */
  readonly settleMs: number;
  /** Whether the GitHook's patterns fit, now and when the baseline was taken. */
  wants(ref: string): boolean;
  /** Whether a run is there for the push that this is. */
  hasRun(sighting: Sighting): boolean;
}

/** What a process remembers from one look to the next; without it the baseline says the same, less exactly. */
export interface Memory {
  /** When the refs were asked for. */
  readonly lookedMs: number;
  /** What has moved, is wanted, and has no run yet. */
  readonly open: readonly Sighting[];
}

/** What has moved, is wanted and has no run; `due` are those that nobody told of in time. */
export function look(facts: LookFacts): { readonly open: readonly Sighting[]; readonly due: readonly Sighting[] } {
  const { refs, startedMs, baseline, before, settleMs } = facts;
  const isKnown = knownIn(baseline);
  const earlier = new Map(before?.open.map((sighting) => [placeOf(sighting.ref, sighting), sighting]));
  const unseenMs = Math.max(baseline.asOfMs, before?.lookedMs ?? 0);
  const moved = [...refs].filter(([ref, at]) => facts.wants(ref) && !isKnown(ref, at));
  const open = moved
    .map(([ref, at]) => earlier.get(placeOf(ref, at)) ?? { ref, ...at, unseenMs, firstSeenMs: startedMs })
    .filter((sighting) => !facts.hasRun(sighting));
  return { open, due: open.filter(({ firstSeenMs }) => startedMs - firstSeenMs >= settleMs) };
}

/**
 * The baseline after a look: everything as it is now, but for what is still open. While something is, what was known before
 * stays known: a server that for a moment shows an older state of a ref, and then the newer again, makes nothing run twice.
 */
export function baselineAfter(
  { refs, startedMs }: RefList & { readonly startedMs: number },
  open: readonly Sighting[],
  { before, ...of }: Pick<Baseline, 'repository' | 'branches'> & { readonly before?: Baseline | undefined },
): Baseline {
  const waiting = new Set(open.map(({ ref }) => ref));
  const now = digestsOf([...refs].filter(([ref]) => !waiting.has(ref)));
  const digests = open.length > 0 && before ? joined(before.digests, now) : now;
  const asOfMs = Math.min(startedMs, ...open.map(({ unseenMs }) => unseenMs));
  return { ...of, asOfMs, digests };
}

function placeOf(ref: string, { id }: ListedRef): string {
  return `${ref} ${id}`;
}
