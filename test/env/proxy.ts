// The fault proxy: plain http on loopback in front of an http or https server (the API server, a forge, Slack, git).
// Passes everything on, long watches included, logs each request, and does to some what its rules say.
import { once } from 'node:events';
import {
  createServer,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { listen, listenOnFreePort } from './ports.ts';
import { messageHeaders, relay, reset } from './proxy-faults.ts';
import type { Fault, LogEntry, ProxiedRequest, Rule } from './proxy-rules.ts';

export { type Fault, type LogEntry, nth, type ProxiedRequest, type Rule, times, when } from './proxy-rules.ts';

export interface ProxyOptions {
  /** Where requests go. A path in it is put before theirs. */
  readonly target: URL;
  /** PEM. Without it an https target is not verified: for servers of the test itself only. */
  readonly ca?: string;
  readonly rules?: readonly Rule[];
  /** Given each request once nothing more will happen to it. The log then keeps none: for runs that are too long for it. */
  readonly onDone?: (entry: LogEntry) => void;
}

/** Bytes of each body kept in the log: enough for any object, little enough for a long watch. */
const keptBytes = 1024 * 1024;

/** Starts a proxy on a free port of loopback. Close it when the test ends. */
export async function startProxy(options: ProxyOptions): Promise<FaultProxy> {
  const proxy = new FaultProxy(options);
  await proxy.up();
  return proxy;
}

export class FaultProxy {
  readonly log: LogEntry[] = [];
  #port = 0;
  #seen = 0;
  #server: Server | undefined;
  #rules: Rule[];
  readonly #options: ProxyOptions;
  readonly #agents = new Map<Socket, HttpAgent>();

  constructor(options: ProxyOptions) {
    this.#options = options;
    this.#rules = [...(options.rules ?? [])];
  }

  /** Its address, without a slash at the end; the same over down() and up(). */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Adds a rule after the others. The returned function takes it away again. */
  rule(rule: Rule): () => void {
    this.#rules.push(rule);
    return () => {
      this.#rules = this.#rules.filter((other) => other !== rule);
    };
  }

  /** Resets every open connection; new ones are served. */
  resetAll(): void {
    for (const socket of this.#agents.keys()) reset(socket);
  }

  /** From now on connections are refused; open ones are reset. */
  async down(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = once(server, 'close');
    server.close();
    this.resetAll();
    await closed;
  }

  /** Serves again, on the same port. */
  async up(): Promise<void> {
    if (this.#server !== undefined) return;
    // No time limits of its own: a watch may be silent for as long as its two ends like.
    const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 });
    server.on('connection', (socket: Socket) => this.#connected(socket));
    server.on('request', (request: IncomingMessage, response: ServerResponse) => void this.#serve(request, response));
    if (this.#port === 0) this.#port = await listenOnFreePort(server);
    else await listen(server, this.#port);
    this.#server = server;
  }

  /** Ends it with all its connections. */
  async close(): Promise<void> {
    await this.down();
  }

  /** Each connection has one of its own to the target, which ends with it, as if they were one. */
  #connected(socket: Socket): void {
    const agent = this.#newAgent(true);
    this.#agents.set(socket, agent);
    socket.setNoDelay(true);
    socket.on('error', () => {}); // a client that resets is its own affair
    socket.on('close', () => {
      this.#agents.delete(socket);
      agent.destroy();
    });
  }

  /** Never rejects: whatever goes wrong between the two ends, the client sees a reset. */
  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const entry = this.#record(request);
    try {
      await this.#handle(request, response, entry);
    } catch {
      reset(response.socket);
    } finally {
      entry.done = true;
      this.#options.onDone?.(entry);
    }
  }

  #record(request: IncomingMessage): LogEntry {
    const { pathname, searchParams } = split(request.url ?? '/');
    const seen: ProxiedRequest = {
      number: ++this.#seen,
      method: request.method ?? 'GET',
      path: pathname,
      query: searchParams,
      headers: request.headers,
    };
    let fault: Fault | undefined;
    for (const rule of this.#rules) {
      fault = rule(seen);
      if (fault !== undefined) break;
    }
    const begun = { ...seen, time: Date.now(), at: performance.now(), fault };
    const entry = { ...begun, body: '', status: undefined, answeredAt: undefined, answer: '', done: false };
    if (this.#options.onDone === undefined) this.log.push(entry);
    return entry;
  }

  async #handle(request: IncomingMessage, response: ServerResponse, entry: LogEntry): Promise<void> {
    const { fault } = entry;
    if (fault?.kind === 'drop' || fault?.kind === 'answer') {
      await readAll(request.on('data', keep(entry, 'body')));
      if (fault.kind === 'drop') return reset(response.socket);
      entry.status = fault.status;
      response.writeHead(fault.status, fault.headers).end(fault.body);
      return;
    }
    await heldUp(fault, response);
    const answer = await this.#send(request, response, entry);
    entry.answeredAt = performance.now();
    entry.status = answer.statusCode;
    await relay(answer, response, fault, keep(entry, 'answer'));
    if (fault?.kind === 'passed') fault.onLeft();
  }

  /** Sends the request to the target and gives its answer, body still to come. */
  async #send(request: IncomingMessage, response: ServerResponse, entry: LogEntry): Promise<IncomingMessage> {
    const { target } = this.#options;
    const kind = entry.fault?.kind;
    const dropped = ['host', 'expect', ...(kind === 'edit' || kind === 'lines' ? ['accept-encoding'] : [])];
    // A dropped answer must be read to its end even when the client gives up: on a connection of its own.
    const agent = kind === 'dropAnswer' ? this.#newAgent(false) : this.#agents.get(request.socket);
    const outgoing = (target.protocol === 'https:' ? httpsRequest : httpRequest)(target, {
      method: entry.method,
      path: target.pathname.replace(/\/$/, '') + (request.url ?? '/'),
      headers: ['host', target.host, ...messageHeaders(request.rawHeaders, dropped), ...framing(request)],
      ...(agent === undefined ? {} : { agent }),
    });
    if (kind !== 'dropAnswer') response.on('close', () => outgoing.destroy());
    request.on('error', () => outgoing.destroy());
    request.on('data', keep(entry, 'body')).pipe(outgoing);
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    outgoing.on('error', () => {}); // from here on the answer's own error tells
    return answer;
  }

  #newAgent(keepAlive: boolean): HttpAgent {
    const { target, ca } = this.#options;
    if (target.protocol === 'http:') return new HttpAgent({ keepAlive });
    return new HttpsAgent({ keepAlive, ...(ca === undefined ? { rejectUnauthorized: false } : { ca }) });
  }
}

/** Headers given as an array are sent as they are: the body's framing must be said again. */
function framing(request: IncomingMessage): string[] {
  return request.headers['transfer-encoding'] === undefined ? [] : ['transfer-encoding', 'chunked'];
}

function split(url: string): { pathname: string; searchParams: URLSearchParams } {
  const at = url.indexOf('?');
  if (at < 0) return { pathname: url, searchParams: new URLSearchParams() };
  return { pathname: url.slice(0, at), searchParams: new URLSearchParams(url.slice(at + 1)) };
}

/** Gathers a body into the entry as it passes; decoded as a whole, so that split characters stay whole. */
function keep(entry: LogEntry, field: 'body' | 'answer'): (piece: Buffer) => void {
  const decoder = new TextDecoder();
  let bytes = 0;
  return (piece) => {
    if (bytes < keptBytes) entry[field] += decoder.decode(piece.subarray(0, keptBytes - bytes), { stream: true });
    bytes += piece.length;
  };
}

/** Waits as the fault says. Rejects when the client gives up meanwhile: then nothing is sent. */
async function heldUp(fault: Fault | undefined, response: ServerResponse): Promise<void> {
  if (fault?.kind !== 'delay' && fault?.kind !== 'hold') return;
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  if (fault.kind === 'delay') return delay(fault.ms, undefined, { signal: gone.signal });
  await Promise.race([fault.until.catch(() => {}), once(gone.signal, 'abort')]);
  gone.signal.throwIfAborted();
}

async function readAll(request: IncomingMessage): Promise<void> {
  request.resume();
  if (!request.readableEnded) await once(request, 'end');
}
