// A bare request to a Kubernetes API server, for set-up and for tests to look with. Not the project's client: tests of
// that one must not look through it.
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';

export interface ApiServer {
  /** https://host:port */
  readonly server: string;
  readonly token: string;
  /** PEM; empty: not verified, for a cluster whose kubeconfig says insecure-skip-tls-verify. */
  readonly ca: string;
}

/** An answer of 400 or more: its status, and the API server's own message. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Longer than any answer takes on loopback, watches excepted: those are not for this. */
const timeoutMs = 30_000;

// What comes back is whatever was asked for: the caller names its shape, and nothing checks it.
/** One request; gives the answer parsed (text where it is not JSON), throws ApiError. A PATCH is a merge patch unless `contentType` says otherwise. */
export async function callApi<T>(
  api: ApiServer,
  method: string,
  path: string,
  content: { readonly body?: unknown; readonly contentType?: string; readonly accept?: string } = {},
): Promise<T> {
  const type = content.contentType ?? (method === 'PATCH' ? 'application/merge-patch+json' : 'application/json');
  const outgoing = request(new URL(path, api.server), {
    method,
    agent: false,
    signal: AbortSignal.timeout(timeoutMs),
    headers: {
      authorization: `Bearer ${api.token}`,
      accept: content.accept ?? 'application/json',
      'content-type': type,
    },
    ...(api.ca === '' ? { rejectUnauthorized: false } : { ca: api.ca }),
  });
  outgoing.end(content.body === undefined ? undefined : JSON.stringify(content.body));
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  const body = await text(answer);
  const parsed: unknown = answer.headers['content-type']?.includes('json') ? JSON.parse(body) : body;
  const status = answer.statusCode ?? 0;
  if (status >= 400) throw new ApiError(status, (parsed as { message?: string }).message ?? `${status} ${body}`);
  return parsed as T;
}
