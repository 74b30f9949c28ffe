// How the fault proxy hands an answer to the client: as it came, or damaged as the fault says.
// Called by proxy.ts for every answer of the target.
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import type { Fault } from './proxy-rules.ts';

/** Headers that belong to one connection, not to the message (RFC 9110, section 7.6.1). */
const connectionHeaders = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade']);

/** Raw headers (name, value, name, value …) without those that belong to one connection, and without `others`. */
export function messageHeaders(raw: readonly string[], others: readonly string[] = []): string[] {
  const kept: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? '';
    const lower = name.toLowerCase();
    if (!connectionHeaders.has(lower) && !others.includes(lower)) kept.push(name, raw[i + 1] ?? '');
  }
  return kept;
}

/** Ends a connection as a crash would: RST, not FIN. */
export function reset(socket: Socket | null): void {
  // Node 24 loses the handle of a socket that is reset while it is being shut down, and spins at its end for ever.
  if (socket?.writableEnded) socket.destroy();
  else if (socket?.destroyed === false) socket.resetAndDestroy();
}

/**
 * Sends the target's answer to the client. `taste` is given each piece as it came from the target.
 * Rejects when either side goes away before the end.
 */
export async function relay(
  answer: IncomingMessage,
  client: ServerResponse,
  fault: Fault | undefined,
  taste: (piece: Buffer) => void,
): Promise<void> {
  const source = tasted(answer, taste);
  if (fault?.kind === 'dropAnswer') {
    for await (const _ of source);
    return reset(client.socket);
  }
  if (fault?.kind === 'holdAnswer') await fault.until;
  if (fault?.kind === 'edit') return edit(answer, client, { source, body: fault.body });

  writeHead(answer, client, changesLength(fault));
  for await (const piece of damaged(source, fault)) await send(client, piece);
  if (fault?.kind === 'silence') return stayOpen(client);
  if (fault?.kind === 'reset') return reset(client.socket);
  client.end();
}

function changesLength(fault: Fault | undefined): boolean {
  return fault !== undefined && ['truncate', 'chunks', 'lines'].includes(fault.kind);
}

function writeHead(answer: IncomingMessage, client: ServerResponse, lengthChanges: boolean): void {
  const headers = messageHeaders(answer.rawHeaders, lengthChanges ? ['content-length'] : []);
  client.writeHead(answer.statusCode ?? 502, answer.statusMessage, headers);
  client.flushHeaders(); // a watch answers at once and may say nothing for minutes
}

async function edit(
  answer: IncomingMessage,
  client: ServerResponse,
  { source, body }: { source: AsyncIterable<Buffer>; body: (text: string) => string },
): Promise<void> {
  const pieces: Buffer[] = [];
  for await (const piece of source) pieces.push(piece);
  const edited = Buffer.from(body(Buffer.concat(pieces).toString()));
  const headers = messageHeaders(answer.rawHeaders, ['content-length']);
  client.writeHead(answer.statusCode ?? 502, answer.statusMessage, [
    ...headers,
    'content-length',
    String(edited.length),
  ]);
  client.end(edited);
}

async function* tasted(answer: AsyncIterable<Buffer>, taste: (piece: Buffer) => void): AsyncGenerator<Buffer> {
  for await (const piece of answer) {
    taste(piece);
    yield piece;
  }
}

function damaged(source: AsyncIterable<Buffer>, fault: Fault | undefined): AsyncIterable<Buffer> {
  switch (fault?.kind) {
    case 'truncate':
      return first(source, fault.bytes);
    case 'silence':
    case 'reset':
      return first(source, fault.afterBytes);
    case 'chunks':
      return pieces(source, fault.bytes);
    case 'lines':
      return lines(source, fault.line);
    default:
      return source;
  }
}

async function* first(source: AsyncIterable<Buffer>, bytes: number): AsyncGenerator<Buffer> {
  let left = bytes;
  if (left <= 0) return;
  for await (const piece of source) {
    yield piece.subarray(0, left);
    left -= piece.length;
    if (left <= 0) return;
  }
}

async function* pieces(source: AsyncIterable<Buffer>, bytes: number): AsyncGenerator<Buffer> {
  for await (const piece of source) {
    for (let at = 0; at < piece.length; at += bytes) {
      yield piece.subarray(at, at + bytes);
      await setImmediate(); // lets a reader in this process see this piece alone
    }
  }
}

async function* lines(
  source: AsyncIterable<Buffer>,
  change: (line: string) => readonly string[],
): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  for await (const piece of source) {
    rest = Buffer.concat([rest, piece]);
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      for (const line of change(rest.subarray(0, end).toString())) yield Buffer.from(`${line}\n`);
      rest = rest.subarray(end + 1);
    }
  }
  if (rest.length > 0) for (const line of change(rest.toString())) yield Buffer.from(line);
}

/** Resolves when the piece has left for the kernel, so that a reset right after does not swallow it. */
function send(client: ServerResponse, piece: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const gone = (): void => reject(new Error('the client closed the connection'));
    if (client.destroyed) return gone();
    client.once('close', gone);
    client.write(piece, (error) => {
      client.off('close', gone);
      if (error) reject(error);
      else resolve();
    });
  });
}

async function stayOpen(client: ServerResponse): Promise<void> {
  if (!client.destroyed) await once(client, 'close');
}
