// Our Kubernetes client: raw JSON in and out, no field is ever dropped. Made once by main; receiver and controller use it
// through the Kube interface, reflectors also watch with it. Knows nothing of GitHooks.
import { type Clock, systemClock } from '../clock.ts';
import { Connection } from './connection.ts';
import type { Credentials } from './credentials.ts';
import type { ResourceType, StoredObject } from './kube.ts';
import { ObjectClient } from './object-client.ts';
import { collectionPath, withQuery } from './path.ts';
import { type Server, Transport } from './transport.ts';
import { decodeEvents, type WatchEvent } from './watch.ts';

/** What loadKubeConfig() returns will do; the rest has defaults. */
export interface KubeClientOptions {
  readonly server: Server;
  readonly credentials: Credentials;
  /** kube-git's own, for the user agent. */
  readonly version?: string;
  readonly clock?: Clock;
  /** For one call with all its repeats, in milliseconds; of a list, for each page. */
  readonly timeoutMs?: number;
  /** From 0 to 1. */
  readonly random?: () => number;
  /** Each request sent: its verb (get, list, watch, create, update, patch, delete) and the answer's status, or `error`. */
  readonly onRequest?: (verb: string, code: string) => void;
}

export interface WatchOptions {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  /** Where to go on from: a list's, or an event's. */
  readonly resourceVersion: string;
  /** After this long the API server ends the watch. */
  readonly timeoutSeconds: number;
  readonly allowWatchBookmarks: boolean;
}

/** A forge waits 10 s for its answer, and nothing else of ours should hang longer either. */
export const DEFAULT_TIMEOUT_MS = 10_000;

export class KubeClient extends ObjectClient {
  readonly #connection: Connection;
  readonly #transport: Transport;

  constructor(options: KubeClientOptions) {
    const transport = new Transport(options.server);
    const connection = connect(options, transport);
    super(connection);
    this.#connection = connection;
    this.#transport = transport;
  }

  /**
   * What happens to the objects of a type from resourceVersion on, until the server ends it (a normal end), the signal
   * aborts (its reason is thrown) or something breaks. Throws ApiError (410: start over with a list), ConnectionError, InvalidEvent.
   */
  watch<T extends StoredObject>(
    type: ResourceType,
    options: WatchOptions,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent<T>> {
    const { namespace, ...query } = options;
    const path = collectionPath(type, namespace);
    const chunks = this.#connection.stream({
      verb: 'watch',
      method: 'GET',
      path: withQuery(path, { ...query, watch: true }),
      signal,
    });
    return decodeEvents<T>(chunks, `watch of ${path}`);
  }

  /** Ends all connections; calls in flight fail. */
  close(): void {
    this.#transport.close();
  }
}

function connect(options: KubeClientOptions, transport: Transport): Connection {
  return new Connection({
    transport,
    credentials: options.credentials,
    clock: options.clock ?? systemClock,
    userAgent: `kube-git/${options.version ?? 'unknown'}`,
    timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    random: options.random ?? Math.random,
    onRequest: options.onRequest ?? (() => undefined),
    headers: {},
  });
}
