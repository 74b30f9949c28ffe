// One request to the API server as one of its users: login, headers, time limit, repeats. Called by the client only;
// must not know of objects.
import type { IncomingMessage } from 'node:http';
import type { Clock } from '../clock.ts';
import { errorOf } from './answer.ts';
import type { Credentials, Login } from './credentials.ts';
import { type Deadline, deadline } from './deadline.ts';
import { ApiError } from './kube.ts';
import { retryDelay } from './retry.ts';
import type { Transport } from './transport.ts';

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With the query. */
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly signal: AbortSignal | undefined;
  /** What metrics call it: get, list, watch, create, … */
  readonly verb: string;
  /** Much was read before it that would have to be read again: what may pass is tried again, be it only a GET. */
  readonly patient?: boolean;
}

export interface ConnectionOptions {
  readonly transport: Transport;
  readonly credentials: Credentials;
  readonly clock: Clock;
  readonly userAgent: string;
  readonly timeoutMs: number;
  /** From 0 to 1. */
  readonly random: () => number;
  /** Each request sent: its verb, and the status of the answer or `error` where there was none. */
  readonly onRequest: (verb: string, code: string) => void;
  /** Impersonation; a value that is a list is sent as several headers. */
  readonly headers: Readonly<Record<string, string | string[]>>;
}

export class Connection {
  readonly #options: ConnectionOptions;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** The same, with other headers. */
  with(headers: ConnectionOptions['headers']): Connection {
    return new Connection({ ...this.#options, headers });
  }

  /** The body of a 2xx answer. Throws ApiError, ConnectionError, the signal's reason, or an Error when the time is up. */
  call(call: Call): Promise<string> {
    const { transport } = this.#options;
    return this.#repeat(call, async (limit) => {
      const answer = await this.#send(call, false, limit.signal);
      return transport.text(answer, limit.signal);
    });
  }

  /** The bytes of a 2xx answer as they come, until the signal ends it; the time limit is for its beginning. Not repeated. */
  async *stream(call: Call): AsyncGenerator<Uint8Array> {
    const limit = this.#limit(call);
    try {
      const answer = await this.#send(call, true, limit.signal);
      limit.lift();
      yield* this.#options.transport.chunks(answer, limit.signal);
    } finally {
      limit.done();
    }
  }

  #limit(call: Call): Deadline {
    const { clock, timeoutMs } = this.#options;
    const message = `${describe(call)}: the API server did not answer within ${timeoutMs / 1000} s`;
    return deadline(clock, { ms: timeoutMs, message, signal: call.signal });
  }

  async #repeat<T>(call: Call, attempt: (limit: Deadline) => Promise<T>): Promise<T> {
    const { clock, random } = this.#options;
    const limit = this.#limit(call);
    try {
      for (let n = 1; ; n++) {
        try {
          return await attempt(limit);
        } catch (error) {
          const idempotent = call.method === 'GET';
          const { patient = false } = call;
          const delay = retryDelay({ error, attempt: n, idempotent, patient, random: random() });
          if (delay === undefined || delay >= limit.leftMs()) throw error;
          await clock.sleep(delay, limit.signal);
        }
      }
    } finally {
      limit.done();
    }
  }

  /** A 401 is tried once more with credentials that were looked up anew: the API server did nothing. */
  async #send(call: Call, watch: boolean, signal: AbortSignal): Promise<IncomingMessage> {
    const { credentials } = this.#options;
    const login = await credentials.current(signal);
    try {
      return await this.#sendAs(login, call, watch, signal);
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 401 && credentials.refused(login))) throw error;
      return await this.#sendAs(await credentials.current(signal), call, watch, signal);
    }
  }

  async #sendAs(login: Login, call: Call, watch: boolean, signal: AbortSignal): Promise<IncomingMessage> {
    const { transport, onRequest } = this.#options;
    const { method, path, verb } = call;
    const body = call.body === undefined ? undefined : JSON.stringify(call.body);
    const headers = { ...this.#headers(login), ...bodyHeaders(body, call.contentType) };
    const request = { method, path, headers, body, certificate: login.certificate, watch, signal };
    const answer = await transport.send(request).catch((error: unknown) => {
      onRequest(verb, 'error');
      throw error;
    });
    const status = answer.statusCode ?? 0;
    onRequest(verb, String(status));
    if (status >= 200 && status < 300) return answer;
    const text = await transport.text(answer, signal);
    throw errorOf({ status, body: text, retryAfter: answer.headers['retry-after'] }, describe(call));
  }

  #headers(login: Login): Record<string, string | string[]> {
    const { userAgent, headers } = this.#options;
    return {
      Accept: 'application/json',
      'User-Agent': userAgent,
      ...(login.token === undefined ? {} : { Authorization: `Bearer ${login.token}` }),
      ...headers,
    };
  }
}

function bodyHeaders(body: string | undefined, contentType = 'application/json'): Record<string, string | number> {
  return body === undefined ? {} : { 'Content-Type': contentType, 'Content-Length': Buffer.byteLength(body) };
}

function describe(call: Call): string {
  return `${call.method} ${call.path.replace(/\?.*$/, '')}`;
}
