// What an Event is, as client-go writes it (client-go/tools/record/event.go). Pure; used by the recorder and its correlator.
import { formatTime } from '../clock.ts';
import type { ResourceType, StoredObject } from './kube.ts';

/** The core group's Events, which `kubectl describe` shows. */
export const eventType: ResourceType = { group: '', version: 'v1', plural: 'events' };

export interface EventInput {
  readonly about: StoredObject;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

export interface EventRecord extends StoredObject {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly message: string;
  readonly count: number;
  readonly lastTimestamp: string;
}

/** The API server refuses longer ones in the newer Event API; nobody reads on so far either. */
const MAX_MESSAGE_LENGTH = 1024;
/** Of any name. */
const MAX_NAME_LENGTH = 253;

/** A new Event about an object, in its namespace. `sequence` tells apart those of one millisecond. */
export function newEvent(input: EventInput, component: string, time: { ms: number; sequence: number }): EventRecord {
  const { about, type, reason } = input;
  const { name = '', namespace = 'default', uid, resourceVersion } = about.metadata;
  const nanoseconds = BigInt(Math.floor(time.ms)) * 1_000_000n + BigInt(time.sequence % 1_000_000);
  const suffix = `.${nanoseconds.toString(16)}`;
  const stamp = formatTime(time.ms);
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${name.slice(0, MAX_NAME_LENGTH - suffix.length)}${suffix}`, namespace },
    involvedObject: { apiVersion: about.apiVersion, kind: about.kind, namespace, name, uid, resourceVersion },
    type,
    reason,
    message: cutMessage(input.message),
    source: { component },
    reportingComponent: component,
    reportingInstance: '',
    firstTimestamp: stamp,
    lastTimestamp: stamp,
    count: 1,
  } as EventRecord;
}

/** At most so many characters, with no half one at the end. */
export function cutMessage(message: string): string {
  return message.length <= MAX_MESSAGE_LENGTH
    ? message
    : `${message
        .slice(0, MAX_MESSAGE_LENGTH - 1)
        .toWellFormed()
        .replace(/\ufffd$/, '')}…`;
}
