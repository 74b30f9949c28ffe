// Free ports on loopback, for programs that must be told their port and for servers that come back on the same one.
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

// Below the range the kernel gives to outgoing connections (Linux: 32768 up), so that none of those sits on the port
// while a server is down for a moment.
const lowest = 20_000;
const highest = 32_767;
const attempts = 50;

/** Listens on a random free port and returns it. */
export async function listenOnFreePort(server: Server, host = '127.0.0.1'): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const port = randomInt(lowest, highest + 1);
    try {
      await listen(server, port, host);
      return port;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || attempt === attempts) throw error;
    }
  }
}

/** Listens, or rejects with what the system said. */
export async function listen(server: Server, port: number, host = '127.0.0.1'): Promise<void> {
  server.listen(port, host);
  await once(server, 'listening'); // rejects on 'error'
}

/** A port nobody listens on at this moment. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  const server = createServer();
  const port = await listenOnFreePort(server, host);
  server.close();
  await once(server, 'close');
  return port;
}
