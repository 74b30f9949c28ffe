// Tells people what happened to an object, as Events that `kubectl describe` shows. Used by receiver and controller.
// Events are written in the background and may be lost: nothing must rely on them.
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { Backoff } from './backoff.ts';
import { EventCorrelator } from './event-correlator.ts';
import { type EventRecord, eventType } from './event-record.ts';
import { ApiError, isNotFound, type Kube, type StoredObject } from './kube.ts';

export interface EventRecorder {
  /** Never waits, never throws. */
  event(about: StoredObject, type: 'Normal' | 'Warning', reason: string, message: string): void;
}

export interface RecorderOptions {
  readonly kube: Pick<Kube, 'create' | 'patch'>;
  readonly clock: Clock;
  readonly log: Log;
  /** From 0 to 1. */
  readonly random?: () => number;
}

/** Who says so. */
const COMPONENT = 'kube-git';
/** Events that wait to be written; more are dropped. A buffer for an API server that is away for a while. */
const MAX_WAITING = 1000;
/** As client-go: then the Event is given up. With the back-off below that is after about three minutes. */
const MAX_ATTEMPTS = 12;
const BACKOFF = { baseMs: 500, maxMs: 30_000 };
/** What stop() waits for the rest to be written. */
const FLUSH_MS = 2_000;

/** Its owner must call stop() at the end. */
export function createRecorder(options: RecorderOptions): EventRecorder & { stop(): Promise<void> } {
  return new Recorder(options);
}

class Recorder implements EventRecorder {
  readonly #options: RecorderOptions;
  readonly #correlator = new EventCorrelator(COMPONENT);
  /** By namespace/name; a newer state of an Event takes the place of one that is not written yet. */
  readonly #waiting = new Map<string, EventRecord>();
  readonly #stopping = new AbortController();
  #stopped = false;
  #sender: Promise<void> | undefined;

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  event(about: StoredObject, type: 'Normal' | 'Warning', reason: string, message: string): void {
    if (this.#stopped) return;
    try {
      const event = this.#correlator.correlate({ about, type, reason, message }, this.#options.clock.now());
      if (event === undefined) return;
      const key = `${event.metadata.namespace}/${event.metadata.name}`;
      if (this.#waiting.size >= MAX_WAITING && !this.#waiting.has(key)) {
        this.#options.log.debug({ reason }, 'event dropped: too many are waiting');
        return;
      }
      this.#waiting.set(key, event);
      this.#startSender();
    } catch (error) {
      this.#options.log.warn({ reason, error: messageOf(error) }, 'event not recorded');
    }
  }

  /** Takes no more Events, and resolves when those waiting are written, or after two seconds. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const timer = new AbortController();
    const limit = this.#options.clock.sleep(FLUSH_MS, timer.signal).catch(() => undefined);
    await Promise.race([this.#sender, limit]);
    timer.abort();
    this.#stopping.abort(new Error('the recorder was stopped'));
    await this.#sender;
  }

  /** One sender while there is something to send; stop() awaits it. */
  #startSender(): void {
    if (this.#sender !== undefined) return;
    this.#sender = this.#send().finally(() => {
      this.#sender = undefined;
      if (this.#waiting.size > 0 && !this.#stopping.signal.aborted) this.#startSender();
    });
  }

  async #send(): Promise<void> {
    for (const [key, event] of this.#waiting) {
      if (this.#stopping.signal.aborted) return;
      this.#waiting.delete(key);
      await this.#sendOne(key, event);
    }
  }

  async #sendOne(key: string, first: EventRecord): Promise<void> {
    const { clock, log, random = Math.random } = this.#options;
    const { signal } = this.#stopping;
    const backoff = new Backoff({ ...BACKOFF, random });
    let event = first;
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        return await this.#write(event, signal);
      } catch (error) {
        if (signal.aborted || attempt === MAX_ATTEMPTS || isFinal(error)) {
          return log.warn({ event: key, error: messageOf(error) }, 'event lost');
        }
        await clock.sleep(backoff.next(), signal).catch(() => undefined);
        event = this.#waiting.get(key) ?? event;
        this.#waiting.delete(key);
      }
    }
  }

  /** A repeat updates its Event; where that is gone (kept for an hour, by default), or was never written, it is created. */
  async #write(event: EventRecord, signal: AbortSignal): Promise<void> {
    const { kube } = this.#options;
    if (event.count > 1) {
      const { count, lastTimestamp, message } = event;
      try {
        await kube.patch(eventType, event.metadata, { count, lastTimestamp, message }, { signal });
        return;
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
    await kube.create(eventType, event, { signal });
  }
}

/** The API server will say the same again. An Event that exists was written by an attempt whose answer was lost. */
function isFinal(error: unknown): boolean {
  return (
    error instanceof ApiError &&
    error.status >= 400 &&
    error.status < 500 &&
    error.status !== 401 &&
    error.status !== 429
  );
}
