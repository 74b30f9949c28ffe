// What a Lease says, whatever somebody wrote into it, and what we write into it. Pure; used by the elector only.
// https://kubernetes.io/docs/concepts/architecture/leases/
import * as v from 'valibot';
import type { ResourceType, StoredObject } from './kube.ts';

export const leases: ResourceType = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases' };

export interface Lease extends StoredObject {
  readonly spec?: unknown;
}

/** A Lease may ask for longer (another version's), but not for ever: nobody would lead after its holder died. */
const LONGEST_LEASE_MS = 60_000;
/** What a Lease that was given back says: client-go writes the same. */
const RELEASED = { holderIdentity: '', leaseDurationSeconds: 1 };
/** leaseTransitions is an int32: one more than the largest would be refused for ever. */
const LARGEST_COUNT = 2 ** 31 - 2;
/** The API server takes no other number of digits. */
const MICRO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

/** Anything that is missing or makes no sense has its fallback. */
const specSchema = v.object({
  holderIdentity: v.fallback(v.string(), ''),
  leaseDurationSeconds: v.fallback(v.number(), 0),
  acquireTime: v.fallback(v.pipe(v.string(), v.regex(MICRO_TIME)), ''),
  leaseTransitions: v.fallback(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(LARGEST_COUNT)), 0),
});

function read(lease: Lease | undefined): v.InferOutput<typeof specSchema> {
  const result = v.safeParse(specSchema, lease?.spec);
  return result.success ? result.output : v.parse(specSchema, {});
}

/** '' where it names nobody, or there is none. */
export function holderOf(lease: Lease | undefined): string {
  return read(lease).holderIdentity;
}

/** Who takes it, and how long others are to leave it alone while it does not change. */
export interface Claimant {
  readonly identity: string;
  readonly leaseSeconds: number;
}

/** The spec that makes or keeps the Lease ours; `before` is what is there, `nowMs` the wall clock. */
export function claim(before: Lease | undefined, { identity, leaseSeconds }: Claimant, nowMs: number): object {
  const { holderIdentity, acquireTime, leaseTransitions } = read(before);
  const ours = holderIdentity === identity;
  const now = microTime(nowMs);
  return {
    holderIdentity: identity,
    leaseDurationSeconds: leaseSeconds,
    acquireTime: ours && acquireTime !== '' ? acquireTime : now,
    renewTime: now,
    leaseTransitions: leaseTransitions + (ours || before === undefined ? 0 : 1),
  };
}

/** The spec that gives it back: anybody may take it at once. */
export function release(before: Lease, nowMs: number): object {
  const now = microTime(nowMs);
  return { ...RELEASED, acquireTime: now, renewTime: now, leaseTransitions: read(before).leaseTransitions };
}

/** For how long a candidate leaves it alone as long as it does not change. */
function holdMs(lease: Lease, leaseMs: number): number {
  const { holderIdentity, leaseDurationSeconds } = read(lease);
  const released = holderIdentity === RELEASED.holderIdentity && leaseDurationSeconds === RELEASED.leaseDurationSeconds;
  // Not less than ours, whatever it says: its holder may be one of us, who goes by what it wrote.
  return released ? 0 : Math.min(Math.max(leaseDurationSeconds * 1000, leaseMs), Math.max(leaseMs, LONGEST_LEASE_MS));
}

function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}

/**
 * Since when a Lease is as it is, by our own monotonic clock: times in it are of another's clock, and only their change
 * says something. Must be shown every state that is read.
 */
export class Sighting {
  readonly #leaseMs: number;
  #seen: string | undefined;
  #freeAtMs = 0;

  /** `leaseMs`: how long we leave any Lease alone at least. */
  constructor(leaseMs: number) {
    this.#leaseMs = leaseMs;
  }

  /** `lease`: undefined where there is none. */
  see(lease: Lease | undefined, monotonicMs: number): void {
    const seen = JSON.stringify(lease?.spec ?? null);
    if (seen === this.#seen) return;
    this.#freeAtMs = monotonicMs + (lease === undefined ? this.#missingMs(monotonicMs) : holdMs(lease, this.#leaseMs));
    this.#seen = seen;
  }

  /** Milliseconds until it may be taken; 0: now. */
  heldMs(monotonicMs: number): number {
    return Math.max(0, this.#freeAtMs - monotonicMs);
  }

  /** One that is gone while somebody held it was deleted by hand: its holder leads on until it sees that. */
  #missingMs(monotonicMs: number): number {
    return this.#seen === undefined || this.heldMs(monotonicMs) === 0 ? 0 : this.#leaseMs;
  }
}
