// The public port: HTTP around receive.ts. Made by main. Refuses by the headers what it can, reads bodies within
// their limits, and answers in JSON. Must not know what a push is; bodies are never logged.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { finished } from 'node:stream/promises';
import { messageOf } from '../errors.ts';
import type { Forge } from '../forge/forge.ts';
import type { Metrics } from '../metrics.ts';
import { createSlots } from '../slots.ts';
import { type Answer, answerTo, refusals } from './answer.ts';
import { ByteBudget, readBody } from './body.ts';
import { defaultLimits, type Limits } from './limits.ts';
import { Reader } from './reader.ts';
import { type ReceiveDeps, receive } from './receive.ts';

export interface ReceiverDeps extends Omit<ReceiveDeps, 'reader' | 'recordings'> {
  /** The file of the program, of which the reader makes a thread. */
  readonly program: string;
  readonly forges: readonly Forge[];
  readonly metrics: Pick<Metrics, 'deliveries' | 'webhookSecretConfigured' | 'bytesInFlight'>;
  /** Tests bring shorter ones. */
  readonly limits?: Partial<Limits>;
}

export interface Receiver {
  /** Port 0 is any free one; no address is every address. Throws when the port is taken. */
  listen(port: number, address?: string): Promise<{ readonly port: number }>;
  /** No new connections; resolves when the requests in flight are answered. */
  close(): Promise<void>;
}

/** The receiver of all forges: POST /<forge's name>. */
export function createReceiver(deps: ReceiverDeps): Receiver {
  const limits = { ...defaultLimits, ...deps.limits };
  const budget = new ByteBudget(limits.bytesInFlight, (bytes) => deps.metrics.bytesInFlight.inc(bytes));
  const server = createServer(serverOptions(limits));
  const { program, clock } = deps;
  const { largeBodyBytes: largeBytes, readerIdleMs: idleMs } = limits;
  const reader = new Reader({ program, clock, largeBytes, idleMs });
  const recordings = createSlots(limits.recordings);
  const context: Context = { deps: { ...deps, reader, recordings }, limits, budget, server };
  const inFlight = new Set<Promise<void>>();
  server.maxConnections = limits.connections;
  server.on('request', (request, response) => {
    const handled = handle(request, response, context).finally(() => inFlight.delete(handled));
    inFlight.add(handled);
  });
  return {
    listen: async (port, address) => {
      tellOfSecrets(deps);
      await listen(server, port, address);
      return { port: (server.address() as AddressInfo).port };
    },
    close: async () => {
      await close(server, inFlight);
      await reader.close();
    },
  };
}

interface Context {
  readonly deps: ReceiverDeps & ReceiveDeps;
  readonly limits: Limits;
  readonly budget: ByteBudget;
  readonly server: Server;
}

function serverOptions(limits: Limits) {
  return {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: limits.checkMs,
  };
}

async function listen(server: Server, port: number, address: string | undefined): Promise<void> {
  server.listen({ port, ...(address ? { host: address } : {}) });
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new Error(`the webhook port ${port} cannot be listened on (flag -webhook-port): ${messageOf(error)}`);
  }
}

function tellOfSecrets({ forges, secrets, metrics, log }: ReceiverDeps): void {
  for (const { name } of forges) {
    const configured = secrets(name).some((secret) => secret.trim() !== '');
    metrics.webhookSecretConfigured.set({ forge: name }, configured ? 1 : 0);
    if (!configured) log.warn({ path: `/${name}` }, 'no webhook secret is configured: every delivery is answered 401');
  }
}

/** Connections without a whole request are ended: a closed server of Node no longer looks at their time limits. */
async function close(server: Server, inFlight: ReadonlySet<Promise<void>>): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  while (inFlight.size > 0) await Promise.all(inFlight);
  server.closeAllConnections();
  await closed;
}

/** Resolves when the answer is sent. Never throws: what goes wrong is the answer. */
async function handle(request: IncomingMessage, response: ServerResponse, context: Context): Promise<void> {
  const { deps, limits } = context;
  const path = request.url?.split('?', 1)[0];
  const forge = deps.forges.find(({ name }) => path === `/${name}`);
  const answer = refusalOf(request, forge, limits) ?? (forge && (await answerOf(request, forge, context)));
  if (answer === undefined) return;

  const { decision, reason } = answer.outcome;
  deps.metrics.deliveries.inc({
    forge: forge?.name ?? 'unknown',
    decision: reason === 'Unverified' ? 'unverified' : decision,
  });
  logAnswer(deps, forge, answer);
  await send(request, response, answer, context);
}

/** What can be said by the headers alone. */
function refusalOf({ method, headers }: IncomingMessage, forge: Forge | undefined, limits: Limits): Answer | undefined {
  if (method !== 'POST') return refusals.method;
  if (forge === undefined) return refusals.unverified;
  if (Number(headers['content-length'] ?? 0) > limits.bodyBytes) return refusals.tooLarge;
  const type = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  return ['application/json', 'application/x-www-form-urlencoded'].includes(type) ? undefined : refusals.mediaType;
}

/** Undefined when there is nobody left to be answered. */
async function answerOf(request: IncomingMessage, forge: Forge, context: Context): Promise<Answer | undefined> {
  const { deps, limits, budget } = context;
  const signal = AbortSignal.timeout(limits.answerMs);
  const body = await readBody(request, { maxBytes: limits.bodyBytes, budget, signal });
  if (body.kind === 'aborted') return undefined;
  if (body.kind !== 'bytes') return refusals[body.kind];
  try {
    return answerTo(await receive(forge, { headers: plain(request.headers), body: body.bytes }, deps, signal));
  } catch (error) {
    deps.log.error({ forge: forge.name, error: messageOf(error) }, 'receiving failed');
    return refusals.failed;
  } finally {
    body.release();
  }
}

function plain(headers: IncomingMessage['headers']): Record<string, string | undefined> {
  const entries = Object.entries(headers).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.join(', ') : value,
  ]);
  return Object.fromEntries(entries);
}

/** One short line a delivery, whoever sent it: what is logged of an unverified one is ours alone. */
function logAnswer({ log }: ReceiverDeps, forge: Forge | undefined, { status, outcome }: Answer): void {
  const { delivery, decision, reason, runs } = outcome;
  const fields = { forge: forge?.name, status, delivery, decision, reason, runs: runs.slice(0, 10) };
  if (decision === 'ignored') log.debug(fields, 'delivery answered');
  else log.info(fields, 'delivery answered');
}

/**
 * Sends the answer. Where the request was not read to its end, the rest is thrown away for a moment before the
 * connection is closed: closed at once, the client's system would discard the answer with it.
 */
async function send(
  request: IncomingMessage,
  response: ServerResponse,
  answer: Answer,
  { limits, server }: Context,
): Promise<void> {
  const text = `${JSON.stringify(answer.outcome)}\n`;
  const whole = request.complete;
  response.on('error', () => undefined);
  response.writeHead(answer.status, {
    ...answer.headers,
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    ...(whole && server.listening ? {} : { connection: 'close' }),
  });
  if (!whole) {
    response.write(text);
    await drained(request, limits.lingerMs);
  }
  response.end(whole ? text : undefined); // a string goes out with the headers, in one write
  await finished(response).catch(() => undefined); // the client may be gone
}

function drained(request: IncomingMessage, lingerMs: number): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(finish, lingerMs);
    request.once('end', finish).once('close', finish).on('error', finish).resume();
  });
}
