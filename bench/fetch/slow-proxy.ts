// A TCP proxy on loopback that is as far away as one likes: it adds a round-trip time, and counts what passes. Called by
// bench/fetch/measuring.ts. Bandwidth is not limited, and nothing starts slowly as TCP does: a clone on a real line takes longer.
import { createServer, connect as open, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { listenOnFreePort } from '../../test/env/ports.ts';

/** What is under way in one direction before the sender is held back. */
const windowBytes = 16 * 1024 * 1024;

export interface SlowProxy {
  /** Of 127.0.0.1. */
  readonly port: number;
  /** What has passed so far, both directions together. */
  bytes(): number;
  /** Ends all connections; resolves when the clients have ended theirs. */
  hangUp(): Promise<void>;
  /** Breaks all connections and ends it. */
  close(): Promise<void>;
}

/** Passes on to a port of 127.0.0.1. */
export async function startSlowProxy(target: number, roundTripMs: number): Promise<SlowProxy> {
  const clients = new Set<Socket>();
  let bytes = 0;
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    clients.add(client);
    client.on('close', () => clients.delete(client));
    const upstream = open({ port: target, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    const onBytes = (count: number): void => {
      bytes += count;
    };
    // Shaking hands takes a round trip, before which a client far away could not have sent anything.
    pass(client, upstream, { delayMs: roundTripMs / 2, notBefore: performance.now() + roundTripMs, onBytes });
    pass(upstream, client, { delayMs: roundTripMs / 2, notBefore: 0, onBytes });
  });
  const port = await listenOnFreePort(server);
  return {
    port,
    bytes: () => bytes,
    hangUp: async () => {
      await Promise.all([...clients].map(hangUp));
    },
    close: () => close(server, clients),
  };
}

interface Passing {
  readonly delayMs: number;
  /** When the first bytes are sent at the earliest, by performance.now(). */
  readonly notBefore: number;
  onBytes(count: number): void;
}

/** Everything in its order, the end as well. */
function pass(from: Socket, to: Socket, { delayMs, notBefore, onBytes }: Passing): void {
  let last = Promise.resolve();
  let waiting = 0;
  const later = (work: () => unknown): void => {
    const due = Math.max(performance.now(), notBefore) + delayMs;
    last = last.then(() => untilTime(due)).then(async () => void (await work()));
  };
  from.on('data', (chunk) => {
    onBytes(chunk.length);
    waiting += chunk.length;
    if (waiting > windowBytes) from.pause();
    later(async () => {
      await write(to, chunk);
      waiting -= chunk.length;
      if (waiting <= windowBytes) from.resume();
    });
  });
  from.on('end', () => later(() => to.end()));
  from.on('error', () => {}); // 'close' follows
  from.on('close', () => later(() => to.destroySoon()));
}

/** A timer may be a little early: then there is another. */
async function untilTime(due: number): Promise<void> {
  for (let left = due - performance.now(); left > 0; left = due - performance.now()) await delay(Math.ceil(left));
}

/** Resolves when there is room for more, or nobody to send it to. */
async function write(to: Socket, chunk: Uint8Array): Promise<void> {
  if (to.destroyed || to.write(chunk)) return;
  await new Promise<void>((resolve) => {
    const go = (): void => {
      to.off('drain', go).off('close', go);
      resolve();
    };
    to.on('drain', go).on('close', go);
  });
}

function hangUp(client: Socket): Promise<void> {
  return new Promise((resolve) => {
    client.on('close', () => resolve());
    client.end();
  });
}

function close(server: Server, clients: Iterable<Socket>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const client of clients) client.destroy();
  });
}
