// A small real server and a client for the tests of the fault proxy.
import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import { listenOnFreePort } from './ports.ts';
import { type FaultProxy, type Rule, startProxy } from './proxy.ts';

interface Test {
  after(fn: () => unknown): void;
}

/** What the server answers to a GET of anything but /watch; a POST gets its body back. */
export const text = `{"city":"Zürich","tree":"🌲🌲🌲"}\n`;

export interface Proxied {
  readonly proxy: FaultProxy;
  /** Method and path of each request the server saw. */
  readonly reached: readonly string[];
  /** Ends each /watch with a second line. */
  finishWatches(): void;
}

/** A server with a proxy in front, both gone after the test. */
export async function proxied(t: Test, ...rules: readonly Rule[]): Promise<Proxied> {
  const reached: string[] = [];
  const watches: (() => void)[] = [];
  const server = createServer(async (asked, answer) => {
    reached.push(`${asked.method} ${asked.url}`);
    if (asked.url === '/watch') {
      answer.write('{"n":1}\n');
      watches.push(() => answer.end('{"n":2}\n'));
      return;
    }
    if (asked.method === 'POST') for await (const piece of asked) answer.write(piece);
    else answer.setHeader('content-length', Buffer.byteLength(text)).write(text);
    answer.end();
  });
  const port = await listenOnFreePort(server);
  const proxy = await startProxy({ target: new URL(`http://127.0.0.1:${port}`), rules });
  t.after(async () => {
    await proxy.close();
    server.closeAllConnections();
    server.close();
  });
  return { proxy, reached, finishWatches: () => watches.forEach((finish) => void finish()) };
}

export interface Got {
  readonly status: number | undefined;
  /** As they came. */
  readonly pieces: readonly Buffer[];
  /** The system's code, where the answer did not end properly. */
  readonly error: string | undefined;
}

/** One GET on a connection of its own, with everything that came before it ended, well or badly. */
export async function get(url: string, onPiece: () => void = () => {}): Promise<Got> {
  const pieces: Buffer[] = [];
  let status: number | undefined;
  try {
    const answer = await begin(url).answer;
    status = answer.statusCode;
    // Not for await: it joins what came at once.
    answer.on('data', (piece: Buffer) => {
      pieces.push(piece);
      onPiece();
    });
    await once(answer, 'end');
  } catch (error) {
    return { status, pieces, error: (error as NodeJS.ErrnoException).code };
  }
  return { status, pieces, error: undefined };
}

/** A GET on a connection of its own whose answer is left to the caller. */
export function begin(url: string): { readonly answer: Promise<IncomingMessage>; giveUp(): void } {
  const outgoing = request(url, { agent: false }).end();
  const answer = once(outgoing, 'response').then(([first]) => first as IncomingMessage);
  outgoing.on('error', () => {}); // an answer that is under way has its own error
  answer.catch(() => {}); // whoever awaits it sees the error; a test that only gives up does not
  return { answer, giveUp: () => void outgoing.destroy() };
}

export const textOf = (got: Got): string => Buffer.concat(got.pieces).toString();
