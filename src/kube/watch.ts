// The lines of a watch: bytes in, events out. Pure; called by the client.
import { errorOfEvent, parseObject } from './answer.ts';
import type { StoredObject } from './kube.ts';

export interface WatchEvent<T> {
  /** A BOOKMARK's object has only metadata.resourceVersion: everything up to there has been sent. */
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: T;
}

/**
 * A piece may end anywhere, in the middle of a character too. Throws the ApiError of an ERROR event, and InvalidEvent for
 * a line that is not an event. A half line at the end is dropped: its event comes again when the watch is resumed.
 */
export async function* decodeEvents<T extends StoredObject>(
  chunks: AsyncIterable<Uint8Array>,
  what: string,
): AsyncGenerator<WatchEvent<T>> {
  const decoder = new TextDecoder();
  const pieces: string[] = [];
  for await (const chunk of chunks) {
    const lines = decoder.decode(chunk, { stream: true }).split('\n');
    const rest = lines.pop() ?? '';
    for (const line of lines) {
      const whole = pieces.join('') + line;
      pieces.length = 0;
      if (whole.trim() !== '') yield parseEvent(whole, what);
    }
    if (rest !== '') pieces.push(rest);
  }
}

/** The stream says something that no API server says, so what was said before is in doubt too. */
export class InvalidEvent extends Error {
  override readonly name = 'InvalidEvent';
}

function parseEvent<T extends StoredObject>(line: string, what: string): WatchEvent<T> {
  let event: { readonly type?: unknown; readonly object?: T };
  try {
    event = parseObject(line, what);
  } catch (error) {
    throw new InvalidEvent(`${what}: an event that is not JSON`, { cause: error });
  }
  if (event.type === 'ERROR') throw errorOfEvent(event.object, what);
  const { type, object } = event;
  if (!isEventType(type) || typeof object?.metadata?.resourceVersion !== 'string') {
    throw new InvalidEvent(`${what}: an event without a type, an object or its resourceVersion`);
  }
  return { type, object };
}

function isEventType(type: unknown): type is WatchEvent<unknown>['type'] {
  return type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED' || type === 'BOOKMARK';
}
