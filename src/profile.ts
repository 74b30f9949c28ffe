// The profile port: heap snapshots and CPU profiles of this process, for a person with a browser's developer tools.
// Opened by main on 127.0.0.1 only, where -profile-port asks for it. Must not know what the program does.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Session } from 'node:inspector/promises';
import { pipeline } from 'node:stream/promises';
import { getHeapSnapshot } from 'node:v8';
import type { Clock } from './clock.ts';
import { messageOf } from './errors.ts';
import type { Log } from './log.ts';

export interface ProfileOptions {
  /** 0 is any free port. */
  readonly port: number;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Profile {
  readonly port: number;
  /** Ends what is being taken, and open connections. */
  close(): Promise<void>;
}

/** What one request needs. */
interface Asked {
  readonly url: URL;
  readonly response: ServerResponse;
  readonly clock: Clock;
  /** Aborted when the client leaves. */
  readonly signal: AbortSignal;
}

const address = '127.0.0.1';
/** A person with curl sends a few hundred bytes at once. */
const limits = { maxHeaderSize: 8 * 1024, headersTimeout: 5_000, requestTimeout: 5_000, keepAliveTimeout: 1_000 };
const maxConnections = 10;

const paths: Readonly<Record<string, (asked: Asked) => Promise<void>>> = {
  '/heap-snapshot': sendHeapSnapshot,
  '/cpu-profile': sendCpuProfile,
};

/** Listens on 127.0.0.1 and says so in the log; rejects where it cannot, with the flag to change. */
export async function startProfile({ port: wanted, clock, log }: ProfileOptions): Promise<Profile> {
  let taking: Promise<void> | undefined;
  const server = createServer(limits, (request, response) => {
    const refusal = refuse(request) ?? (taking ? { status: 409, text: 'another one is being taken\n' } : undefined);
    if (refusal) return refused(response, refusal);
    taking = take({ request, response, clock, log }).finally(() => {
      taking = undefined;
    });
  });
  server.maxConnections = maxConnections;
  const port = await listen(server, wanted);
  log.warn({ address, port }, 'profile server listening: its heap snapshots hold every secret of this process');
  return {
    port,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await Promise.all([closed, taking]);
    },
  };
}

interface Refusal {
  readonly status: number;
  readonly text: string;
}

/** A page in the browser of whoever forwards the port may ask this address too: by its own name for it, or with an Origin. */
const ownNames: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]']);

function refuse(request: IncomingMessage): Refusal | undefined {
  const host = (request.headers.host ?? '').replace(/:\d*$/, '').toLowerCase();
  if (!ownNames.has(host) || request.headers.origin !== undefined) {
    return { status: 403, text: 'only for localhost, and not for pages in a browser\n' };
  }
  const [path = '', query = ''] = (request.url ?? '').split('?', 2);
  if (!Object.hasOwn(paths, path)) return { status: 404, text: `there are ${Object.keys(paths).join(', ')}\n` };
  if (request.method !== 'POST') return { status: 405, text: 'only POST\n' };
  return secondsIn(new URLSearchParams(query)) === undefined ? { status: 400, text: secondsAllowed } : undefined;
}

function refused(response: ServerResponse, { status, text }: Refusal): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...(status === 405 && { allow: 'POST' }) });
  response.end(text);
}

interface Taking {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly clock: Clock;
  readonly log: Log;
}

/** Answers a request that was not refused. Never rejects. */
async function take({ request, response, clock, log }: Taking): Promise<void> {
  const url = new URL(request.url ?? '/', `http://${address}`);
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  log.warn({ path: url.pathname }, 'profile asked for');
  try {
    await paths[url.pathname]?.({ url, response, clock, signal: gone.signal });
    log.info({ path: url.pathname }, 'profile sent');
  } catch (error) {
    log.warn({ path: url.pathname, error: messageOf(error) }, 'profile not sent');
    if (response.headersSent) response.destroy();
    else refused(response, { status: 500, text: 'it cannot be taken: the log says why\n' });
  }
}

/** The whole process stands still while V8 walks the heap (nodejs.org/api/v8.html#v8getheapsnapshotoptions); what it found is then sent bit by bit. */
async function sendHeapSnapshot({ response }: Asked): Promise<void> {
  response.writeHead(200, attachment('heapsnapshot'));
  await pipeline(getHeapSnapshot(), response);
}

async function sendCpuProfile({ url, response, clock, signal }: Asked): Promise<void> {
  const session = new Session();
  session.connect();
  try {
    await session.post('Profiler.enable');
    await session.post('Profiler.start');
    await clock.sleep((secondsIn(url.searchParams) ?? defaultSeconds) * 1000, signal);
    const { profile } = await session.post('Profiler.stop');
    response.writeHead(200, attachment('cpuprofile'));
    response.end(JSON.stringify(profile));
  } finally {
    session.disconnect();
  }
}

/** The extension is what developer tools know the file by. */
function attachment(extension: string): Readonly<Record<string, string>> {
  const name = `kube-git.${extension}`;
  return { 'content-type': 'application/json', 'content-disposition': `attachment; filename="${name}"` };
}

const defaultSeconds = 10;
const maxSeconds = 60; // samples are held in memory until the end
const secondsAllowed = `seconds must be a whole number from 1 to ${maxSeconds}\n`;

function secondsIn(query: URLSearchParams): number | undefined {
  const text = query.get('seconds') ?? String(defaultSeconds);
  const seconds = Number(text);
  return /^\d{1,2}$/.test(text) && seconds >= 1 && seconds <= maxSeconds ? seconds : undefined;
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      reject(new Error(`the profile port ${port} cannot be listened on (flag -profile-port): ${messageOf(error)}`));
    });
    server.listen({ port, host: address }, () => {
      const bound = server.address();
      resolve(typeof bound === 'object' && bound !== null ? bound.port : port);
    });
  });
}
