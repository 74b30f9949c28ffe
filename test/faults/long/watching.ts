// An independent look at the API server: a list and a watch of one type, straight and not through kube-git's own client.
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { type ApiServer, callApi } from '../../env/api.ts';

interface Watched {
  readonly metadata: { readonly resourceVersion?: string };
}

interface WatchEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: T;
}

/**
 * Calls `onObject` for every object there is and for each change of one, until the signal aborts. A watch that ends is taken
 * up where it was; only where the API server has forgotten that is everything listed again.
 */
export async function watchAll<T extends Watched>(
  api: ApiServer,
  path: string,
  onObject: (object: T, deleted: boolean) => void,
  signal: AbortSignal,
): Promise<void> {
  let version: string | undefined;
  while (!signal.aborted) {
    try {
      version ??= await listAll(api, path, onObject);
      const query = `watch=true&resourceVersion=${version}&allowWatchBookmarks=true`;
      for await (const { type, object } of watch<T>(api, `${path}?${query}`, signal)) {
        version = type === 'ERROR' ? undefined : (object.metadata.resourceVersion ?? version);
        if (version === undefined) break;
        if (type !== 'BOOKMARK') onObject(object, type === 'DELETED');
      }
    } catch {
      // The API server is down for a moment.
      await delay(200, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** Returns the version that a watch goes on from. */
async function listAll<T>(
  api: ApiServer,
  path: string,
  onObject: (object: T, deleted: boolean) => void,
): Promise<string> {
  const list = await callApi<{ items: T[]; metadata: { resourceVersion: string } }>(api, 'GET', path);
  for (const item of list.items) onObject(item, false);
  return list.metadata.resourceVersion;
}

async function* watch<T>(api: ApiServer, path: string, signal: AbortSignal): AsyncGenerator<WatchEvent<T>> {
  const outgoing = request(new URL(path, api.server), {
    agent: false,
    signal,
    headers: { authorization: `Bearer ${api.token}`, accept: 'application/json' },
    ca: api.ca,
  });
  outgoing.on('error', () => {}); // after the answer has begun its own error tells
  outgoing.end();
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  if (answer.statusCode === 410) yield { type: 'ERROR', object: {} as T };
  if (answer.statusCode !== 200) throw new Error(`a watch was answered with ${answer.statusCode}`);
  try {
    for await (const line of createInterface({ input: answer })) yield JSON.parse(line) as WatchEvent<T>;
  } finally {
    answer.destroy();
  }
}
