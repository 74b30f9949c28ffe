// The connections to one API server: keep-alive, bounded, calls and watches apart. Sends one request as it is told to.
// Called by the client only; must not know of objects, of retries or of where credentials come from.
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { messageOf } from '../errors.ts';
import { bodyOf } from '../http-send.ts';

/** Where the API server is, and how it proves who it is. */
export interface Server {
  /** http or https; a path is put before every request's path. Holds no credentials. */
  readonly url: URL;
  /** PEM; undefined: the certificates Node trusts. */
  readonly ca?: string | undefined;
  /** The name in its certificate, where it is not the host of `url`. */
  readonly serverName?: string | undefined;
  readonly insecureSkipTlsVerify?: boolean | undefined;
}

/** An API server's address. Throws an Error that begins with `where`. */
export function parseServer(text: string, where: string): URL {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new Error(`${where}: must be an address that begins with https:// or http://`);
  }
  if (url.username !== '' || url.password !== '') throw new Error(`${where}: must not hold a user or a password`);
  return url;
}

/** PEM. */
export interface ClientCertificate {
  readonly cert: string;
  readonly key: string;
}

export interface Request {
  readonly method: string;
  /** With the query, from the root of the API. */
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body?: string | undefined;
  readonly certificate?: ClientCertificate | undefined;
  /** A watch holds its connection for minutes, so it must not take those of calls. */
  readonly watch: boolean;
  readonly signal: AbortSignal;
}

/** No answer: the connection could not be made or broke. `code` is Node's, such as ECONNREFUSED; '' where it has none. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  readonly code: string;
  /** An idle connection that the server had closed meanwhile. */
  readonly stale: boolean;

  constructor(origin: string, cause: unknown, stale: boolean) {
    super(`no answer from the API server at ${origin}: ${messageOf(cause)}`, { cause });
    this.code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    this.stale = stale;
  }
}

/** Calls at the same time; more wait. An API server gives one client a share of some hundred places. */
const MAX_CALLS = 32;
/** Watches at the same time: one for each type that is followed, and spare ones for those being replaced. */
const MAX_WATCHES = 32;
/** Idle connections are closed by us before the API server does it (90 s), which would look like a reset. */
const IDLE_MS = 60_000;
/** How often the kernel asks whether the other end still lives. */
const KEEP_ALIVE_PROBE_MS = 30_000;
/** An answer larger than this is refused. A page of 500 large objects stays well below. */
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;

export class Transport {
  readonly #server: Server;
  readonly #calls: HttpAgent | HttpsAgent;
  readonly #watches: HttpAgent | HttpsAgent;

  constructor(server: Server) {
    this.#server = server;
    this.#calls = createAgent(server, MAX_CALLS);
    this.#watches = createAgent(server, MAX_WATCHES);
  }

  /** Resolves when the answer's headers are here. Throws ConnectionError, or the signal's reason. */
  send(request: Request): Promise<IncomingMessage> {
    const { url } = this.#server;
    const { signal } = request;
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
      const outgoing = send({
        agent: request.watch ? this.#watches : this.#calls,
        host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
        port: url.port === '' ? undefined : Number(url.port),
        method: request.method,
        path: url.pathname.replace(/\/$/, '') + request.path,
        headers: request.headers,
        ...request.certificate,
      });
      const onAbort = (): void => {
        outgoing.destroy(signal.reason);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      outgoing.on('close', () => signal.removeEventListener('abort', onAbort));
      outgoing.on('error', (error) => {
        reject(signal.aborted ? signal.reason : new ConnectionError(url.origin, error, isStale(outgoing, error)));
      });
      outgoing.on('response', resolve);
      outgoing.end(request.body);
    });
  }

  /** The bytes of an answer as they come. Throws ConnectionError when it ends too early, or the signal's reason. */
  async *chunks(answer: IncomingMessage, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of answer) yield chunk;
    } catch (error) {
      throw signal.aborted ? signal.reason : new ConnectionError(this.#server.url.origin, error, false);
    } finally {
      answer.destroy();
    }
  }

  /** A whole answer as text. Throws as chunks() does. */
  async text(answer: IncomingMessage, signal: AbortSignal): Promise<string> {
    const { bytes, cut } = await bodyOf(answer, MAX_ANSWER_BYTES).catch((error: unknown) => {
      throw signal.aborted ? signal.reason : new ConnectionError(this.#server.url.origin, error, false);
    });
    if (cut) throw new Error(`the API server's answer is larger than ${MAX_ANSWER_BYTES} bytes`);
    return bytes.toString('utf8');
  }

  /** Ends all connections, those in use too. */
  close(): void {
    this.#calls.destroy();
    this.#watches.destroy();
  }
}

function createAgent(server: Server, maxSockets: number): HttpAgent | HttpsAgent {
  const options = { keepAlive: true, keepAliveMsecs: KEEP_ALIVE_PROBE_MS, timeout: IDLE_MS, maxSockets };
  if (server.url.protocol !== 'https:') return new HttpAgent(options);
  return new HttpsAgent({
    ...options,
    ...(server.ca === undefined ? {} : { ca: server.ca }),
    ...(server.serverName === undefined ? {} : { servername: server.serverName }),
    rejectUnauthorized: server.insecureSkipTlsVerify !== true,
  });
}

function isStale(outgoing: { readonly reusedSocket: boolean }, error: Error): boolean {
  return outgoing.reusedSocket && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
}
