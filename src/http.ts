// The one way out to sinks and to the APIs of forges: a JSON POST, or a GET, with limits on time and size. Handed to the
// notifiers by main; what an answer means is in answer.ts. Must not know what is sent.
import type { IncomingMessage } from 'node:http';
import type { Clock } from './clock.ts';
import { WaitingError } from './errors.ts';
import { type AgentOptions, createAgents } from './http-agents.ts';
import { type Outgoing, send } from './http-send.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** The beginning of the body. */
  readonly text: string;
  /** When it came, milliseconds since 1970: what its dates are compared with. */
  readonly time: number;
}

/**
 * Sends once and gives back whatever answer came; redirects are not followed, since one could carry a token elsewhere.
 * Throws WaitingError SinkUnreachable where none came in time, and the signal's reason when it is aborted before that.
 * No error holds more of the URL than its host: the path of a Slack webhook is a secret.
 */
export type HttpPost = (request: {
  /** http or https, without user and password. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json: unknown;
  readonly signal: AbortSignal;
}) => Promise<HttpAnswer>;

/** The same for reading. */
export type HttpGet = (request: {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Of the body; what is beyond is cut off. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}) => Promise<HttpAnswer>;

export interface HttpPostOptions {
  readonly clock: Clock;
  /** Such as kube-git/2.0.0. */
  readonly userAgent: string;
  /** For the request and the whole answer. Default 10 seconds: what hooks of forges allow, too. */
  readonly timeLimitMs?: number;
  /** The certificates and proxies of the way out. Default: what Node trusts, and no proxy. */
  readonly way?: AgentOptions;
}

const defaultTimeLimitMs = 10_000;
/** An error's text fits many times; what is longer was not written to be read. */
const maxAnswerBytes = 64 * 1024;

/** A way out over Node's own client, which keeps connections alive, checks certificates and goes through proxies. */
export function createHttpPost(options: HttpPostOptions): HttpPost {
  const exchange = createExchange(options);
  return ({ url, headers, json, signal }) => {
    const body = JSON.stringify(json);
    const request = { method: 'POST' as const, headers: { ...headers, 'content-type': 'application/json' }, body };
    return exchange({ target: new URL(url), ...request, maxBytes: maxAnswerBytes, signal });
  };
}

/** The same for reading. */
export function createHttpGet(options: HttpPostOptions): HttpGet {
  const exchange = createExchange(options);
  return ({ url, headers = {}, maxBytes, signal }) =>
    exchange({ target: new URL(url), method: 'GET', headers, body: '', maxBytes, signal });
}

type Exchange = Omit<Outgoing, 'agent'> & { readonly maxBytes: number };

function createExchange(options: HttpPostOptions): (exchange: Exchange) => Promise<HttpAnswer> {
  const timeLimitMs = options.timeLimitMs ?? defaultTimeLimitMs;
  const agentFor = createAgents(options.way ?? { ca: undefined, environment: {} });
  return async ({ maxBytes, signal, ...outgoing }) => {
    const limit = timeLimit(timeLimitMs, signal);
    const { target } = outgoing;
    const { agent, proxied } = agentFor(target);
    try {
      const headers = { ...outgoing.headers, 'user-agent': options.userAgent };
      const answer = await send({ ...outgoing, agent, headers, signal: limit.signal });
      const text = await readStart(answer, maxBytes);
      return { status: answer.statusCode ?? 0, headers: headersOf(answer), text, time: options.clock.now() };
    } catch (error) {
      signal.throwIfAborted();
      const why = limit.expired() ? `no answer within ${timeLimitMs / 1000} s` : reasonOf(error);
      const way = proxied ? ' through the proxy' : '';
      throw new WaitingError('SinkUnreachable', `${target.host} cannot be reached${way}: ${why}`);
    } finally {
      limit.end();
    }
  };
}

function headersOf({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    headers.append(rawHeaders[index] ?? '', rawHeaders[index + 1] ?? '');
  }
  return headers;
}

interface TimeLimit {
  readonly signal: AbortSignal;
  expired(): boolean;
  end(): void;
}

/** Aborts after `ms` or with `outer`. Not AbortSignal.any, whose children live as long as the outer signal does. */
function timeLimit(ms: number, outer: AbortSignal): TimeLimit {
  const controller = new AbortController();
  let expired = false;
  const timer = setTimeout(() => {
    expired = true;
    controller.abort();
  }, ms);
  const abort = () => controller.abort(outer.reason);
  outer.addEventListener('abort', abort, { once: true });
  if (outer.aborted) abort();
  return {
    signal: controller.signal,
    expired: () => expired,
    end: () => {
      clearTimeout(timer);
      outer.removeEventListener('abort', abort);
    },
  };
}

/** The beginning of the body. Once the status has come the sink has spoken: a body that breaks off or never ends does not unsay it. */
async function readStart(answer: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Uint8Array>) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= maxBytes) break; // which ends the connection
    }
  } catch {
    // What came before is enough.
  }
  return new TextDecoder().decode(Buffer.concat(chunks).subarray(0, maxBytes));
}

/** What sockets, TLS and Node's client call their errors. Their messages are not used: they can hold the URL or a header. */
const untrusted = 'its certificate is of an authority that is not trusted here (the flag -ca-file names a private one)';
const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection broke',
  ENOTFOUND: 'its name is not known',
  EAI_AGAIN: 'its name cannot be looked up at present',
  ETIMEDOUT: 'no connection in time',
  HPE_HEADER_OVERFLOW: 'its answer has too many headers',
  ERR_PROXY_TUNNEL: 'the proxy does not let it through',
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  CERT_HAS_EXPIRED: 'its certificate has expired',
};

function reasonOf(error: unknown): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  if (typeof code !== 'string' || !/^[A-Z0-9_]{1,60}$/.test(code)) return 'the request failed';
  return reasons[code] ?? code;
}
