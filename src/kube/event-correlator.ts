// Which Events are worth a write: repeats are counted, similar ones combined, floods dropped. The rules and numbers are those of
// client-go (client-go/tools/record/events_cache.go). Pure but for its memory; the recorder asks it once an Event.
import { formatTime } from '../clock.ts';
import { cutMessage, type EventInput, type EventRecord, newEvent } from './event-record.ts';

/** Later than this, a repeat is a new Event, and similar ones are counted from the start. */
const INTERVAL_MS = 10 * 60_000;
/** Different messages of one object, type and reason within the interval; from the next on they are combined. */
const MAX_SIMILAR = 10;
/** Writes about one object at once, and then one in five minutes. */
const BURST = 25;
const REFILL_MS = 5 * 60_000;
/** Objects, and Events, that are remembered; the longest untouched go first. */
const MAX_REMEMBERED = 4096;
const COMBINED = '(combined from similar events): ';

interface Similar {
  readonly messages: Set<string>;
  lastAt: number;
}

interface Bucket {
  tokens: number;
  at: number;
}

export class EventCorrelator {
  readonly #component: string;
  readonly #similar = new Map<string, Similar>();
  readonly #observed = new Map<string, { event: EventRecord; at: number }>();
  readonly #buckets = new Map<string, Bucket>();
  #sequence = 0;

  constructor(component: string) {
    this.#component = component;
  }

  /** The Event to write, under the name of the one to update where it is a repeat (count above 1); undefined: none. */
  correlate(input: EventInput, ms: number): EventRecord | undefined {
    const event = this.#observe(this.#combine(input, ms), ms);
    return this.#mayWrite(objectKey(input), ms) ? event : undefined;
  }

  /** The same Event with a text for all, once there are many of them. */
  #combine(input: EventInput, ms: number): { input: EventInput; key: string } {
    const group = JSON.stringify([objectKey(input), input.type, input.reason]);
    const known = this.#similar.get(group);
    const similar =
      known !== undefined && ms - known.lastAt <= INTERVAL_MS ? known : { messages: new Set<string>(), lastAt: ms };
    similar.lastAt = ms;
    remember(this.#similar, group, similar);
    const message = cutMessage(input.message);
    if (similar.messages.has(message) || similar.messages.size < MAX_SIMILAR) {
      similar.messages.add(message);
      return { input, key: JSON.stringify([group, message]) };
    }
    return { input: { ...input, message: COMBINED + input.message }, key: group };
  }

  #observe({ input, key }: { input: EventInput; key: string }, ms: number): EventRecord {
    const known = this.#observed.get(key);
    const fresh = newEvent(input, this.#component, { ms, sequence: this.#sequence++ });
    const event =
      known !== undefined && ms - known.at <= INTERVAL_MS
        ? { ...known.event, message: fresh.message, count: known.event.count + 1, lastTimestamp: formatTime(ms) }
        : fresh;
    remember(this.#observed, key, { event, at: ms });
    return event;
  }

  /** A token bucket for each object. */
  #mayWrite(object: string, ms: number): boolean {
    const known = this.#buckets.get(object) ?? { tokens: BURST, at: ms };
    const tokens = Math.min(BURST, known.tokens + Math.max(0, ms - known.at) / REFILL_MS);
    const allowed = tokens >= 1;
    remember(this.#buckets, object, { tokens: allowed ? tokens - 1 : tokens, at: ms });
    return allowed;
  }
}

function objectKey({ about }: EventInput): string {
  const { namespace, name, uid } = about.metadata;
  return JSON.stringify([about.apiVersion, about.kind, namespace, name, uid]);
}

/** A Map keeps the order of insertion, so the first is the longest untouched. */
function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > MAX_REMEMBERED && oldest !== undefined) map.delete(oldest);
}
