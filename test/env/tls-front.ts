// TLS before a server that speaks plain http on loopback: bytes go through as they are. For private certificate authorities.

import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import type { KeyPair } from './certificates.ts';

export interface TlsFront {
  readonly port: number;
}

export interface TlsFrontOptions {
  readonly target: URL;
  readonly pair: KeyPair;
  readonly address?: string;
  readonly port?: number;
}

/** Listens with this certificate on 127.0.0.1 and on any free port unless told; ends after the test. */
export async function startTlsFront(
  t: { after(fn: () => unknown): void },
  { target, pair, address = '127.0.0.1', port = 0 }: TlsFrontOptions,
): Promise<TlsFront> {
  const open = new Set<TLSSocket>();
  const server = createServer({ cert: pair.certificate, key: pair.key }, (socket) => {
    open.add(socket);
    const inner = connect(Number(target.port), target.hostname);
    for (const [from, to] of [
      [socket, inner],
      [inner, socket],
    ] as const) {
      from.on('error', () => to.destroy());
      from.pipe(to);
    }
    socket.on('close', () => open.delete(socket));
  });
  server.on('tlsClientError', () => {}); // a client that does not trust us: its own test looks at it
  await new Promise<void>((resolve) => {
    server.listen(port, address, resolve);
  });
  t.after(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port };
}
