// Which deliveries are one push, and what its run is called. Called by whoever records runs.
// Pure: every replica computes the same from the same values; races are settled by the API server's unique names.
import type { GitHookRun, GitHookRunStatusDelivery } from './githookrun.ts';
import { cutName, digest, labelLimit } from './labels.ts';
import type { DeliveryId, Push } from './push.ts';

/** 60 bits of SHA-256 in base32: two of a million pushes share a name once in two million installations. */
const hashLength = 12;
/** The highest number in a sequence of runs: three digits, for which names keep room. */
export const maxSequence = 999;

/**
 * Pushes older than this start nothing: what is older could have had a run that is gone, because runs are kept an hour
 * longer, and a backup that is restored after a week must not run the old pushes again.
 */
export const keptWindowMs = 7 * 24 * 3_600_000;

const minuteMs = 60_000;
/** Hooks of one push are sent within seconds, but the time in each is the repository's newest push when it was made. */
const sameSignedPushMs = 10 * minuteMs;
/** Where the forge signs no time; forges retry and queue for less. */
const sameUnsignedPushMs = 60 * minuteMs;
/** How far the clocks of forge and replicas may be apart: where a webhook claims a run that the poll made, or a run covers what the poll saw. */
const clockSkewMs = minuteMs;
/** Where the forge signs no time: how long after the poll its webhook may come. */
const pollClaimMs = 10 * minuteMs;

/** What a push is known by, for one GitHook. */
export interface PushIdentity {
  /** The GitHook's name and UID. */
  readonly gitHook: { readonly name: string; readonly uid: string };
  /** As canonicalRepository gives it. */
  readonly repository: string;
  readonly ref: string;
  /** Object id of the ref after the push. */
  readonly after: string;
}

/** The name of the run with this number: at most 63 characters, a valid DNS name. The same for all who ask. */
export function runName(push: PushIdentity, sequence: number): string {
  const name = nameFor(push.gitHook.name, [push.gitHook.uid, push.repository, push.ref, push.after]);
  return sequence === 1 ? name : `${name}-${sequence}`;
}

/** What was asked for by hand, in an annotation of the object with this UID: of a run that is to run again, or of a GitHook. */
export interface AskedByHand {
  readonly what: 'rerun' | 'run-now';
  readonly uid: string;
  /** The annotation's value, whole. */
  readonly value: string;
}

/** The name of a run by hand: asking the same of the same object twice is asking once. It is in no push's sequence. */
export function runNameByHand(gitHookName: string, { what, uid, value }: AskedByHand): string {
  return nameFor(gitHookName, [what, uid, value]);
}

/** A list of another length never has the same hash: runs of pushes and runs by hand do not meet. */
function nameFor(gitHookName: string, identity: readonly string[]): string {
  const room = labelLimit - 1 - hashLength - 1 - String(maxSequence).length;
  return `${cutName(gitHookName, room)}-${digest(JSON.stringify(identity), hashLength)}`;
}

export type Verdict = 'duplicate' | 'claim' | 'next';

/** A verified delivery, as the rules see it. */
export interface Arrival {
  readonly delivery: DeliveryId;
  readonly push: Pick<Push, 'before' | 'pushTime'>;
  /** When it was received, in milliseconds since 1970. */
  readonly receivedMs: number;
}

/**
 * What a delivery is to an existing run of the same identity. duplicate: the run knows it. claim: the same push through
 * another door, to be added to status.deliveries. next: another push, to be tried on the next number.
 */
export function decide(run: GitHookRun, arrival: Arrival): Verdict {
  const known = deliveriesOf(run);
  const { id, digest, hookId } = arrival.delivery;
  if (known.some((delivery) => delivery.id === id || delivery.digest === digest)) return 'duplicate';
  if (known.some((delivery) => delivery.hookId === hookId)) return 'next';
  const same = run.spec.source === 'Poll' ? isWhatThePollSaw(run, arrival) : isSamePush(run, arrival);
  return same ? 'claim' : 'next';
}

function deliveriesOf(run: GitHookRun): readonly GitHookRunStatusDelivery[] {
  const further = run.status?.deliveries ?? [];
  return run.spec.delivery === undefined ? further : [run.spec.delivery, ...further];
}

function isSamePush(run: GitHookRun, { push, receivedMs }: Arrival): boolean {
  const { before, pushTime, receivedTime } = run.spec;
  if (before !== undefined && push.before !== undefined && before !== push.before) return false;
  if (pushTime !== undefined && push.pushTime !== undefined) {
    return Math.abs(Date.parse(pushTime) - Date.parse(push.pushTime)) < sameSignedPushMs;
  }
  return Math.abs(receivedMs - Date.parse(receivedTime)) < sameUnsignedPushMs;
}

/** The poll sees where a ref is, not how it came there: `before` says nothing, only that the push was no later. */
function isWhatThePollSaw(run: GitHookRun, { push, receivedMs }: Arrival): boolean {
  const madeMs = Date.parse(run.spec.receivedTime);
  if (push.pushTime !== undefined) return Date.parse(push.pushTime) <= madeMs + clockSkewMs;
  return receivedMs - madeMs < pollClaimMs;
}

/**
 * Whether a run of the same identity is for what the poll saw: a push that came after `unseenMs`, when the ref was last
 * looked at and was elsewhere. Such a run was received since, or is for a push that was signed since; an older one
 * is for an earlier push of the same commit. Milliseconds since 1970.
 */
export function covers(run: GitHookRun, unseenMs: number): boolean {
  const { receivedTime, pushTime } = run.spec;
  return [receivedTime, pushTime].some((time) => time !== undefined && Date.parse(time) >= unseenMs - clockSkewMs);
}
