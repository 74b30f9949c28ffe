// The private port: whether kube-git lives, whether it can do its work, and its metrics. Started by main; for the
// kubelet and Prometheus, so it listens apart from the port the world reaches.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { messageOf } from './errors.ts';
import type { Metrics } from './metrics.ts';

export interface HealthOptions {
  /** 0 is any free port. */
  readonly port: number;
  /** Empty is every address. */
  readonly address: string;
  readonly metrics: Pick<Metrics, 'text' | 'contentType'>;
  /** What is still waited for, each in words; nothing once it is ready. Must be quick and not throw. */
  readonly ready: () => readonly string[];
}

export interface Health {
  readonly port: number;
  /** Ends open connections too: nobody loses anything by it. */
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** A kubelet's probe sends a few hundred bytes at once; more, or slower, is not one. */
const limits = { maxHeaderSize: 8 * 1024, headersTimeout: 5_000, requestTimeout: 5_000, keepAliveTimeout: 30_000 };
const maxConnections = 100;

/** Listens; rejects where it cannot, with the flag to change. */
export async function startHealth(options: HealthOptions): Promise<Health> {
  const server = createServer(limits, (request, response) => {
    respond(options, request).then((answer) => write(request, response, answer));
  });
  server.maxConnections = maxConnections;
  const port = await listen(server, options);
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, { port, address }: HealthOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      reject(new Error(`the private port ${port} cannot be listened on (flag -private-port): ${messageOf(error)}`));
    });
    server.listen({ port, ...(address === '' ? {} : { host: address }) }, () => {
      const bound = server.address();
      resolve(typeof bound === 'object' && bound !== null ? bound.port : port);
    });
  });
}

async function respond(options: HealthOptions, request: IncomingMessage): Promise<Answer> {
  const path = request.url?.split('?', 1)[0];
  const paths: Readonly<Record<string, () => Answer | Promise<Answer>>> = {
    '/healthz': () => plain(200, 'ok\n'),
    '/readyz': () => readiness(options.ready()),
    '/metrics': () => metrics(options),
  };
  const answer = path !== undefined && Object.hasOwn(paths, path) ? paths[path] : undefined;
  if (!answer) return plain(404, `not found: there are ${Object.keys(paths).join(', ')}\n`);
  if (request.method !== 'GET' && request.method !== 'HEAD') return plain(405, 'only GET and HEAD\n');
  return answer();
}

function readiness(waitingFor: readonly string[]): Answer {
  const ready = waitingFor.length === 0;
  return {
    status: ready ? 200 : 503,
    type: 'application/json',
    body: `${JSON.stringify({ ready, ...(ready ? {} : { waitingFor }) })}\n`,
  };
}

async function metrics(options: HealthOptions): Promise<Answer> {
  try {
    return { status: 200, type: options.metrics.contentType, body: await options.metrics.text() };
  } catch (error) {
    return plain(500, `the metrics cannot be collected: ${messageOf(error)}\n`);
  }
}

function plain(status: number, body: string): Answer {
  return { status, type: 'text/plain; charset=utf-8', body };
}

function write(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  response.writeHead(answer.status, {
    'content-type': answer.type,
    'content-length': Buffer.byteLength(answer.body),
    ...(answer.status === 405 ? { allow: 'GET, HEAD' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : answer.body);
}
