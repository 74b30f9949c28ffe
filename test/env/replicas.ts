// Several replicas of kube-git as child processes, each with an API server proxy of its own, and in front of them what a
// Service is in a cluster: deliveries go to those that were ready at the last look, to another one where none listens.
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { startApiProxy } from './api-proxy.ts';
import type { TestContext } from './cluster.ts';
import type { KubeGit } from './kube-git.ts';
import { listenOnFreePort } from './ports.ts';
import type { FaultProxy } from './proxy.ts';
import type { Scenario } from './scenario.ts';
import { waitFor } from './wait.ts';

/** How often readiness is looked at; the kubelet's 5 s, in small. */
const lookEveryMs = 100;

export interface Replica {
  readonly name: string;
  readonly kubeGit: KubeGit;
  readonly apiProxy: FaultProxy;
  /** Whether its log says that it leads. */
  leads(): boolean;
}

export interface Replicas {
  /** For the forge's webhook. */
  readonly url: string;
  /** Starts one and waits until it is ready and gets deliveries. */
  start(name: string): Promise<Replica>;
  /** The one that leads, once there is exactly one among these. */
  leader(among: readonly Replica[]): Promise<Replica>;
}

/** `scenario` was started without a kube-git of its own in the way: it is stopped here. */
export async function startReplicas(
  t: TestContext,
  scenario: Scenario,
  { leaseSeconds = 3 }: { readonly leaseSeconds?: number } = {},
): Promise<Replicas> {
  await scenario.kubeGit.stop();
  const backends = new Map<string, { readonly url: string; ready: boolean }>();
  const ended = new AbortController();
  t.after(() => ended.abort());
  const front = createServer((request, response) => void forward(request, response, backends));
  const port = await listenOnFreePort(front, '127.0.0.1');
  t.after(() => front.closeAllConnections());
  t.after(() => front.close());
  return {
    url: `http://127.0.0.1:${port}`,
    start: async (name) => {
      const apiProxy = await startApiProxy(t);
      const kubeGit = await scenario.restart({
        ...{ master: apiProxy.url, port: 0, env: { POD_NAME: name } },
        args: ['-namespace', scenario.namespace, `-leader-elect-lease-duration=${leaseSeconds}s`],
      });
      const backend = { url: kubeGit.url, ready: true };
      backends.set(name, backend);
      void watchReadiness(kubeGit, backend, ended.signal);
      return { name, kubeGit, apiProxy, leads: () => leads(kubeGit) };
    },
    leader: (among) =>
      waitFor(
        () => {
          const leading = among.filter((replica) => replica.leads());
          return leading.length === 1 ? leading[0] : undefined;
        },
        { what: 'one leader', deadlineMs: 60_000 },
      ),
  };
}

function leads({ lines }: KubeGit): boolean {
  return lines.findLast(({ msg }) => msg === 'leading' || msg === 'leading no more')?.msg === 'leading';
}

async function watchReadiness(kubeGit: KubeGit, backend: { ready: boolean }, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(1_000)]);
    backend.ready = await fetch(`${kubeGit.privateUrl}/readyz`, { signal: limit }).then(
      ({ ok }) => ok,
      () => false,
    );
    await delay(lookEveryMs, undefined, { signal }).catch(() => undefined);
  }
}

async function forward(
  request: IncomingMessage,
  response: ServerResponse,
  backends: ReadonlyMap<string, { readonly url: string; readonly ready: boolean }>,
): Promise<void> {
  const body = await buffer(request);
  const ready = [...backends.values()].filter((backend) => backend.ready);
  const from = Math.floor(Math.random() * ready.length);
  for (const { url } of [...ready.slice(from), ...ready.slice(0, from)]) {
    const answer = await send(`${url}${request.url}`, request, body).catch((error: NodeJS.ErrnoException) => error);
    // Nobody listens there any more: like a Service's client, which connects anew.
    if (answer instanceof Error && answer.code === 'ECONNREFUSED') continue;
    if (answer instanceof Error) break;
    response.writeHead(answer.status, answer.headers).end(answer.body);
    return;
  }
  response.writeHead(502).end();
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

function send(url: string, { method, headers }: IncomingMessage, body: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method, headers: { ...headers, connection: 'close' }, agent: false });
    request.on('error', reject);
    request.on('response', async (response) => {
      const { statusCode: status = 502 } = response;
      buffer(response).then((bytes) => resolve({ status, headers: response.headers, body: bytes }), reject);
    });
    request.end(body);
  });
}
