// The one way out to sinks: a JSON POST with limits on time and size. Handed to the notifiers by main; what an answer
// means is in answer.ts. Must not know what is sent.
import type { Clock } from './clock.ts';
import { WaitingError } from './errors.ts';

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

export interface HttpPostOptions {
  readonly clock: Clock;
  /** Such as kube-git/2.0.0. */
  readonly userAgent: string;
  /** For the request and the whole answer. Default 10 seconds: what hooks of forges allow, too. */
  readonly timeLimitMs?: number;
}

const defaultTimeLimitMs = 10_000;
/** An error's text fits many times; what is longer was not written to be read. */
const maxAnswerBytes = 64 * 1024;

/** A way out over global fetch, which keeps connections alive and checks certificates. */
export function createHttpPost(options: HttpPostOptions): HttpPost {
  const timeLimitMs = options.timeLimitMs ?? defaultTimeLimitMs;
  return async ({ url, headers, json, signal }) => {
    const limit = timeLimit(timeLimitMs, signal);
    try {
      const response = await fetch(url, {
        method: 'POST',
        redirect: 'manual',
        headers: { ...headers, 'content-type': 'application/json', 'user-agent': options.userAgent },
        body: JSON.stringify(json),
        signal: limit.signal,
      });
      const text = await readStart(response);
      return { status: response.status, headers: response.headers, text, time: options.clock.now() };
    } catch (error) {
      signal.throwIfAborted();
      const why = limit.expired() ? `no answer within ${timeLimitMs / 1000} s` : reasonOf(error);
      throw new WaitingError('SinkUnreachable', `${new URL(url).host} cannot be reached: ${why}`);
    } finally {
      limit.end();
    }
  };
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
async function readStart(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const reader = response.body?.getReader();
  try {
    while (reader && bytes < maxAnswerBytes) {
      const { done, value } = await reader.read();
      if (done) break;
      chunks.push(value);
      bytes += value.length;
    }
    await reader?.cancel();
  } catch {
    // What came before is enough.
  }
  return new TextDecoder().decode(Buffer.concat(chunks).subarray(0, maxAnswerBytes));
}

/** What fetch and the sockets below it call their errors. Their messages are not used: they can hold the URL or a header. */
const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection broke',
  UND_ERR_SOCKET: 'the connection broke',
  ENOTFOUND: 'its name is not known',
  EAI_AGAIN: 'its name cannot be looked up at present',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  UND_ERR_HEADERS_OVERFLOW: 'its answer has too many headers',
};

function reasonOf(error: unknown): string {
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  const code: unknown = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (typeof code !== 'string' || !/^[A-Z0-9_]{1,60}$/.test(code)) return 'the request failed';
  return reasons[code] ?? code;
}
