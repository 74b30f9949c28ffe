// Keeps a copy of all objects of one type and tells what changes: list, watch, and start again whatever happens.
// Made by main for each type; read by receiver and controller as a Store. Callbacks should only enqueue keys.
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { Backoff } from './backoff.ts';
import type { KubeClient } from './client.ts';
import { linkedTo } from './deadline.ts';
import { ApiError, isNotFound, type ResourceType, type StoredObject } from './kube.ts';
import { type Restart, reasonOf, SilentWatch } from './restart.ts';
import { type Change, type IndexBy, ObjectStore } from './store.ts';
import type { WatchEvent } from './watch.ts';

export type { Change } from './store.ts';

/** Key: namespace/name. */
export interface Store<T> {
  get(key: string): T | undefined;
  list(): readonly T[];
  /** Those that the reflector's indexBy gave this value for, in no order. */
  byIndex(value: string): readonly T[];
  /** The first list is in, or there is none to be had of an optional type. */
  hasSynced(): boolean;
  /** Milliseconds since the API server last said anything, bookmarks included; Infinity before the first list. */
  silentForMs(): number;
}

export interface ReflectorOptions<T extends StoredObject> {
  readonly client: Pick<KubeClient, 'list' | 'watch'>;
  readonly type: ResourceType;
  /** undefined: all. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  /**
   * The cluster need not have the type: while it does not, the store has synced and is empty, quietly. Default: a type that
   * is missing is a failure like others.
   */
  readonly optional?: boolean;
  /** The store already has the change. What it throws is logged. */
  readonly onChange: (change: Change<T>) => void;
  /** Drops what nobody reads before it is stored; must leave name, namespace, uid and resourceVersion. */
  readonly transform?: (object: T) => T;
  /** For byIndex. Default: nothing is found that way. */
  readonly indexBy?: IndexBy<T>;
  readonly clock: Clock;
  readonly log: Log;
  /** The watch, or the list before it, had to be started again, for other reasons than that its time was up; `error` says why, where there is one. */
  readonly onRestart?: (type: ResourceType, why: Restart, error: unknown) => void;
  /** From 0 to 1. */
  readonly random?: () => number;
}

const BACKOFF = { baseMs: 500, maxMs: 30_000 };
/** A watch that lived this long was a success: the next failure is the first. Longer than the limit of one call. */
const HEALTHY_MS = 20_000;
/** The server ends a watch after five minutes and up to five more, so that not all come back at once. */
const WATCH_SECONDS = { min: 300, spread: 300 };
/**
 * A live watch gets a bookmark a minute, but where nothing at all changes only every other one comes (seen on 1.34:
 * 59.9 s, 120.0 s). After that and some more the connection is taken for dead.
 */
const SILENCE_LIMIT_MS = 150_000;
/**
 * An optional type that was there and is missing so long is gone, and all objects with it. Before that it may only be that
 * one of several API servers does not know it yet.
 */
const ABSENCE_LIMIT_MS = 60_000;
/** A list that old is made again when a watch ends: finds what a watch lost without a trace. */
const LIST_AGE_LIMIT_MS = 10 * 60_000;

export class Reflector<T extends StoredObject> implements Store<T> {
  readonly #options: ReflectorOptions<T>;
  readonly #store: ObjectStore<T>;
  readonly #backoff: Backoff;
  readonly #random: () => number;
  /** Where the next watch begins; undefined: a list must come first. */
  #resourceVersion: string | undefined;
  #listedAt = Number.NEGATIVE_INFINITY;
  #heardAt = Number.NEGATIVE_INFINITY;
  #watchBeganAt = 0;
  /** Since when the API server does not know the type, as far as it was asked. */
  #absentSince: number | undefined;

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
    this.#store = new ObjectStore(options.indexBy);
    this.#backoff = new Backoff({ ...BACKOFF, random: this.#random });
  }

  get(key: string): T | undefined {
    return this.#store.get(key);
  }

  list(): readonly T[] {
    return this.#store.list();
  }

  byIndex(value: string): readonly T[] {
    return this.#store.byIndex(value);
  }

  hasSynced(): boolean {
    return this.#listedAt !== Number.NEGATIVE_INFINITY || this.#absentSince !== undefined;
  }

  silentForMs(): number {
    return this.#options.clock.monotonic() - this.#heardAt;
  }

  /** Runs until the signal aborts, then resolves. Never gives up before. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const pause = await this.#round(signal);
      if (signal.aborted) return;
      await this.#options.clock.sleep(pause, signal).catch(() => undefined);
    }
  }

  /** A list if needed, and a watch to its end. Milliseconds to wait before the next round. */
  async #round(signal: AbortSignal): Promise<number> {
    const { clock } = this.#options;
    this.#watchBeganAt = Number.POSITIVE_INFINITY;
    let failure: unknown;
    try {
      if (this.#resourceVersion === undefined || clock.monotonic() - this.#listedAt > LIST_AGE_LIMIT_MS) {
        this.#resourceVersion = await this.#refill(signal);
      }
      await this.#watch(this.#resourceVersion, signal);
    } catch (error) {
      failure = error;
    }
    const healthy = clock.monotonic() - this.#watchBeganAt >= HEALTHY_MS;
    if (healthy) this.#backoff.reset();
    if (this.#options.optional && isNotFound(failure)) this.#noteAbsence();
    else if (failure !== undefined || !healthy) this.#noteRestart(failure, signal);
    const asked = failure instanceof ApiError ? (failure.retryAfterMs ?? 0) : 0;
    return Math.max(this.#backoff.next(), Math.min(asked, BACKOFF.maxMs));
  }

  #noteAbsence(): void {
    const { clock, log, type } = this.#options;
    this.#resourceVersion = undefined;
    if (this.#absentSince === undefined) {
      this.#absentSince = clock.monotonic();
      log.info({ plural: type.plural, group: type.group }, 'not installed in this cluster, looked for again and again');
    }
    if (clock.monotonic() - this.#absentSince < ABSENCE_LIMIT_MS) return;
    for (const change of this.#store.replace([])) this.#tell(change);
  }

  #notePresence(): void {
    const { log, type } = this.#options;
    if (this.#absentSince !== undefined) log.info({ plural: type.plural, group: type.group }, 'installed now');
    this.#absentSince = undefined;
  }

  #noteRestart(failure: unknown, signal: AbortSignal): void {
    if (signal.aborted) return;
    const { type, log, onRestart } = this.#options;
    const why = reasonOf(failure);
    // After these, what is stored may be wrong in ways that a watch from there would never show.
    if (why === 'expired' || why === 'invalid') this.#resourceVersion = undefined;
    if (failure instanceof SilentWatch && !failure.everHeard) this.#resourceVersion = undefined;
    const fields = { plural: type.plural, why, error: failure === undefined ? undefined : messageOf(failure) };
    if (why === 'error' || why === 'invalid') log.warn(fields, 'watch restarted');
    else log.info(fields, 'watch restarted');
    onRestart?.(type, why, failure);
  }

  async #refill(signal: AbortSignal): Promise<string> {
    const { client, type, namespace, labelSelector, transform, clock } = this.#options;
    const list = await client.list<T>(type, {
      signal,
      transform,
      ...(namespace === undefined ? {} : { namespace }),
      ...(labelSelector === undefined ? {} : { labelSelector }),
    });
    this.#notePresence();
    const changes = this.#store.replace(list.items);
    this.#listedAt = clock.monotonic();
    this.#heardAt = this.#listedAt;
    for (const change of changes) this.#tell(change);
    return list.resourceVersion;
  }

  async #watch(resourceVersion: string, signal: AbortSignal): Promise<void> {
    const { client, type, namespace, labelSelector, clock } = this.#options;
    const timeoutSeconds = Math.floor(WATCH_SECONDS.min + WATCH_SECONDS.spread * this.#random());
    const query = { namespace, labelSelector, resourceVersion, timeoutSeconds, allowWatchBookmarks: true };
    const { controller, unlink } = linkedTo(signal);
    this.#watchBeganAt = clock.monotonic();
    const watchdog = this.#abortWhenSilent(controller);
    try {
      for await (const event of client.watch<T>(type, query, controller.signal)) this.#take(event);
    } finally {
      unlink();
      controller.abort();
      await watchdog;
    }
  }

  #take(event: WatchEvent<T>): void {
    const { clock, transform } = this.#options;
    this.#heardAt = clock.monotonic();
    this.#resourceVersion = event.object.metadata.resourceVersion;
    if (event.type === 'BOOKMARK') return;
    const object = transform === undefined ? event.object : transform(event.object);
    for (const change of this.#store.apply({ type: event.type, object })) this.#tell(change);
  }

  #tell(change: Change<T>): void {
    const { onChange, log, type } = this.#options;
    try {
      onChange(change);
    } catch (error) {
      log.error({ plural: type.plural, key: change.key, error: messageOf(error) }, 'change handler failed');
    }
  }

  /** A connection may die without a word, and then nothing ever comes of it. */
  async #abortWhenSilent(watch: AbortController): Promise<void> {
    const { clock } = this.#options;
    const lastHeard = (): number => Math.max(this.#heardAt, this.#watchBeganAt);
    while (!watch.signal.aborted) {
      const left = lastHeard() + SILENCE_LIMIT_MS - clock.monotonic();
      if (left <= 0) watch.abort(new SilentWatch(SILENCE_LIMIT_MS, this.#heardAt > this.#watchBeganAt));
      else await clock.sleep(left, watch.signal).catch(() => undefined);
    }
  }
}
