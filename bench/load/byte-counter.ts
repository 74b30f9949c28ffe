// Counts the bytes that a server sends to whoever connects here instead: TCP is passed through, so that TLS stays whole. Called by
// bench/groups/scale.ts.
import { connect, createServer, type Socket } from 'node:net';
import { listenOnFreePort } from '../../test/env/ports.ts';

export interface ByteCounter {
  /** Of loopback. */
  readonly port: number;
  /** What the server has sent so far, over all connections. */
  bytes(): number;
  /** Cuts every connection. */
  close(): Promise<void>;
}

export async function startByteCounter(target: URL): Promise<ByteCounter> {
  let bytes = 0;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    upstream.on('data', (piece: Buffer) => {
      bytes += piece.length;
    });
    join(client, upstream, sockets);
    join(upstream, client, sockets);
  });
  const port = await listenOnFreePort(server);
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  return { port, bytes: () => bytes, close };
}

/** What one says the other hears, and with one the other ends. */
function join(from: Socket, to: Socket, sockets: Set<Socket>): void {
  sockets.add(from);
  from.setNoDelay(true).pipe(to);
  from.on('error', () => {}); // its close follows
  from.on('close', () => {
    sockets.delete(from);
    to.destroy();
  });
}
