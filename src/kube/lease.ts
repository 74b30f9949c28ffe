// Leader election on a Lease, as client-go does it: of several candidates one leads, as long as it renews in time. Made and
// run by main. Nothing may rest on it alone: a process can be stopped for any time between isFresh() and what it does next.
import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { deadline, linkedTo } from './deadline.ts';
import type { Election } from './election.ts';
import { ApiError, ifFound, type Kube } from './kube.ts';
import { claim, holderOf, type Lease, leases, release, Sighting } from './lease-record.ts';

export interface ElectorOptions {
  /** Best one of its own: the program's other calls may use up all connections, and a renewal must not queue. */
  readonly client: Pick<Kube, 'get' | 'create' | 'replace'>;
  /** Of the Lease. */
  readonly namespace: string;
  readonly name: string;
  /**
   * No other candidate's. newIdentity() makes one for this process; a pod's name will do as well, because a container is
   * started anew only when its earlier life has ended: then its Lease is taken up again at once.
   */
  readonly identity: string;
  /** Whole seconds; default 15. */
  readonly leaseSeconds?: number;
  readonly clock: Clock;
  readonly log: Log;
  /** From 0 to 1. */
  readonly random?: () => number;
}

/** 15 s, as Kubernetes' own components. */
const DEFAULT_LEASE_SECONDS = 15;
/**
 * A leader that could not renew for two thirds of the Lease's duration stops: others wait half as long again, so its clock
 * may run by a half slower than theirs.
 */
const RENEW_DEADLINE = 2 / 3;
/** Between the beginnings of two attempts, renewals too: 2 of 15 s. */
const RETRY = 2 / 15;
/** Adds up to a fifth, so that candidates that began together come apart. */
const JITTER = 0.2;
/** A read and a write. Half of the renew deadline, as Kubernetes' own components do: after a call that hangs there is time for another. */
const ATTEMPT_LIMIT = 1 / 3;
/** Whoever stops us does not wait for ever; past it, others wait the Lease out. */
const RELEASE_LIMIT_MS = 2_000;

/** A holder's name that nobody else has: the pod's name, for people, and a random part. */
export function newIdentity(podName: string): string {
  return `${podName}_${randomUUID()}`;
}

export class Elector implements Election {
  readonly #options: ElectorOptions;
  readonly #leaseSeconds: number;
  readonly #leaseMs: number;
  readonly #sighting: Sighting;
  /** The Lease has been read at least once: somebody leads, or will. */
  #known = false;
  /** Monotonic; the Lease is ours before it. */
  #freshUntilMs = Number.NEGATIVE_INFINITY;
  /** We have written our name into the Lease, or may have: a write whose answer was lost counts. */
  #named = false;
  /** The last failure that was logged: one that repeats itself every two seconds is told once. */
  #failure = '';

  constructor(options: ElectorOptions) {
    this.#options = options;
    this.#leaseSeconds = options.leaseSeconds ?? DEFAULT_LEASE_SECONDS;
    this.#leaseMs = this.#leaseSeconds * 1000;
    this.#sighting = new Sighting(this.#leaseMs);
  }

  /** What keeps this candidate from standing at all, in words; nothing once the Lease could be read. */
  waitingFor(): readonly string[] {
    if (this.#known) return [];
    const { namespace, name } = this.#options;
    return [`the Lease ${name} of namespace ${namespace}${this.#failure === '' ? '' : `: ${this.#failure}`}`];
  }

  /**
   * Whether nobody else can be leader now. Asks the monotonic clock, so it is right also after the process was stopped
   * and before any timer knows of it (but not after the whole machine slept: Linux stops that clock then). To be asked
   * before each effect on the outside.
   */
  isFresh(): boolean {
    return this.#options.clock.monotonic() < this.#freshUntilMs;
  }

  /**
   * Stands until the signal aborts. `lead` is called each time it becomes leader; its signal aborts when that is over, and
   * until it has ended this candidate does not stand again. When `signal` aborts, the Lease is kept until `lead` has ended
   * and then released. A `lead` that ends unasked also ends this, in the same way: resolved or rejected.
   */
  async run(signal: AbortSignal, lead: (signal: AbortSignal) => Promise<void>): Promise<void> {
    try {
      let standing = true;
      while (standing && (await this.#win(signal))) standing = await this.#term(signal, lead);
    } finally {
      await this.#release();
    }
  }

  /** Stands until it leads; false when the signal aborted first. */
  async #win(signal: AbortSignal): Promise<boolean> {
    const { clock } = this.#options;
    while (!signal.aborted) {
      const next = this.#nextAttempt();
      const heldMs = await this.#attempt(this.#leaseMs * ATTEMPT_LIMIT);
      if (signal.aborted) return false;
      if (this.isFresh()) return true;
      await this.#sleep(Math.min(heldMs, next - clock.monotonic()), signal);
    }
    return false;
  }

  /** One term as leader; whether to stand again after it. */
  async #term(signal: AbortSignal, lead: (signal: AbortSignal) => Promise<void>): Promise<boolean> {
    const { identity, log } = this.#options;
    const { controller, unlink } = linkedTo(signal);
    const over = new AbortController();
    log.info({ identity }, 'leading');
    const led = lead(controller.signal).finally(() => over.abort());
    led.catch(() => undefined); // awaited below
    await this.#keep(over.signal);
    const unasked = over.signal.aborted && !controller.signal.aborted;
    controller.abort(new Error('this replica leads no more'));
    try {
      await led;
    } catch (error) {
      if (unasked) throw error;
      if (error !== controller.signal.reason) log.error({ error: messageOf(error) }, 'leading ended with an error');
    } finally {
      unlink();
      log.info({ identity }, 'leading no more');
    }
    return !unasked;
  }

  /** Renews until the Lease is lost, or the signal aborts. A renewal under way is left to end: aborted, it might land later. */
  async #keep(over: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const leftMs = (): number => this.#freshUntilMs - clock.monotonic();
    let next = this.#nextAttempt();
    while (this.isFresh()) {
      await this.#sleep(Math.min(next - clock.monotonic(), leftMs()), over);
      if (over.aborted || !this.isFresh()) return;
      next = this.#nextAttempt();
      await this.#attempt(Math.min(this.#leaseMs * ATTEMPT_LIMIT, leftMs()));
    }
  }

  /** Tries once to become or stay leader; isFresh() tells. Milliseconds that another holds the Lease for; Infinity: not known. */
  async #attempt(limitMs: number): Promise<number> {
    try {
      const heldMs = await this.#limited(limitMs, (signal) => this.#claim(signal));
      this.#failure = '';
      return heldMs;
    } catch (error) {
      this.#note(error);
      return Number.POSITIVE_INFINITY;
    }
  }

  async #claim(signal: AbortSignal): Promise<number> {
    const { client, namespace, name, identity, clock } = this.#options;
    const lease = await this.#read(signal);
    const heldMs = this.#heldMs(lease);
    if (heldMs > 0) {
      this.#freshUntilMs = Number.NEGATIVE_INFINITY;
      return heldMs;
    }
    // Others count from when they see it, which is later than this.
    const sentMs = clock.monotonic();
    this.#named = true;
    const spec = claim(lease, { identity, leaseSeconds: this.#leaseSeconds }, clock.now());
    // With the resourceVersion that was read: of those who saw the same, one succeeds.
    if (lease !== undefined) await client.replace<Lease>(leases, { ...lease, spec }, { signal });
    else await client.create<Lease>(leases, { metadata: { namespace, name }, spec } as Lease, { signal });
    this.#freshUntilMs = sentMs + this.#leaseMs * RENEW_DEADLINE;
    return 0;
  }

  /** One that names us is ours, and so is one that we lead by and somebody emptied or deleted: the others still wait. */
  #heldMs(lease: Lease | undefined): number {
    const holder = holderOf(lease);
    const ours = holder === this.#options.identity || (holder === '' && this.isFresh());
    return ours ? 0 : this.#sighting.heldMs(this.#options.clock.monotonic());
  }

  async #read(signal: AbortSignal): Promise<Lease | undefined> {
    const { client, namespace, name, clock } = this.#options;
    const lease = await ifFound(client.get<Lease>(leases, { namespace, name }, { signal }));
    this.#known = true;
    this.#sighting.see(lease, clock.monotonic());
    return lease;
  }

  /** So that others need not wait. Where it fails they do wait. */
  async #release(): Promise<void> {
    const { client, identity, clock, log } = this.#options;
    this.#freshUntilMs = Number.NEGATIVE_INFINITY;
    if (!this.#named) return;
    try {
      await this.#limited(RELEASE_LIMIT_MS, async (signal) => {
        const lease = await this.#read(signal);
        if (lease === undefined || holderOf(lease) !== identity) return;
        await client.replace<Lease>(leases, { ...lease, spec: release(lease, clock.now()) } as Lease, { signal });
      });
    } catch (error) {
      log.warn({ error: messageOf(error) }, 'lease not released');
    }
  }

  async #limited<T>(ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const message = `the API server did not answer within ${Math.round(ms) / 1000} s`;
    const limit = deadline(this.#options.clock, { ms, message, signal: undefined });
    try {
      return await work(limit.signal);
    } finally {
      limit.done();
    }
  }

  /** A conflict is how elections go. */
  #note(error: unknown): void {
    const message = messageOf(error);
    if ((error instanceof ApiError && error.status === 409) || message === this.#failure) return;
    this.#failure = message;
    this.#options.log.warn({ error: message }, 'lease not renewed or taken');
  }

  #nextAttempt(): number {
    const { clock, random = Math.random } = this.#options;
    return clock.monotonic() + this.#leaseMs * RETRY * (1 + JITTER * random());
  }

  async #sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (ms > 0) await this.#options.clock.sleep(ms, signal).catch(() => undefined);
  }
}
