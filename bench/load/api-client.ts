// A bare client of the API server that keeps its connections open: for objects by the thousand, and as the measure of what the
// API server itself can do. Called by bench/groups and by its neighbours here.
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';
import { ApiError, type ApiServer } from '../../test/env/api.ts';

/** Connections, and so requests at a time. */
export const atOnce = 16;

/** What a delete of a thousand objects takes on a machine with much else to do. */
const timeoutMs = 120_000;

/** Listed at a time. */
const pageSize = 500;

interface Page<T> {
  readonly items: readonly T[];
  readonly metadata: { readonly continue?: string };
}

export class ApiClient {
  readonly server: ApiServer;
  readonly #signal: AbortSignal;
  readonly #agent: Agent;

  /** The signal ends every request. */
  constructor(server: ApiServer, signal: AbortSignal, connections = atOnce) {
    this.server = server;
    this.#signal = signal;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections, ca: server.ca });
    signal.addEventListener('abort', () => this.close(), { once: true });
  }

  /** The answer parsed, in the shape that the caller names; throws ApiError. */
  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    this.#signal.throwIfAborted();
    const content = body === undefined ? '' : JSON.stringify(body);
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const outgoing = request(new URL(path, this.server.server), {
      method,
      agent: this.#agent,
      timeout: timeoutMs,
      headers: {
        authorization: `Bearer ${this.server.token}`,
        accept: 'application/json',
        ...(content !== '' && { 'content-type': type, 'content-length': Buffer.byteLength(content) }),
      },
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`${method} ${path} took over ${timeoutMs / 1000} s`)));
    outgoing.end(content);
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    const told = await text(answer);
    const status = answer.statusCode ?? 0;
    if (status >= 400) throw new ApiError(status, `${method} ${path}: ${status} ${told.slice(0, 500)}`);
    return JSON.parse(told) as T;
  }

  /** All objects of a collection, in pages. */
  async list<T>(path: string): Promise<readonly T[]> {
    const all: T[] = [];
    let next: string | undefined = '';
    while (next !== undefined) {
      const { items, metadata }: Page<T> = await this.call('GET', `${path}?limit=${pageSize}&continue=${next}`);
      all.push(...items);
      next = metadata.continue || undefined;
    }
    return all;
  }

  close(): void {
    this.#agent.destroy();
  }
}
