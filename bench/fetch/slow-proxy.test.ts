// What the figures of bench/groups/fetch.ts stand on: that the proxy is slow, whole and in order, and counts.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { listenOnFreePort } from '../../test/env/ports.ts';
import { startSlowProxy } from './slow-proxy.ts';

const roundTripMs = 30;

/** A server that sends everything back, with the proxy before it. */
async function slowEcho(t: TestContext) {
  const ends: Promise<unknown>[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    ends.push(once(socket, 'close'));
    socket.pipe(socket);
  });
  const proxy = await startSlowProxy(await listenOnFreePort(server), roundTripMs);
  t.after(async () => {
    await proxy.close();
    await Promise.all(ends); // a proxy that leaves connections to the server makes the test hang
    server.close();
  });
  return proxy;
}

async function trip(socket: Socket, word: string): Promise<number> {
  const start = performance.now();
  socket.write(word);
  const [answer] = await once(socket, 'data');
  assert.equal(String(answer), word);
  return performance.now() - start;
}

describe('the slow proxy', () => {
  it('takes a round trip for each answer, and one more for a new connection', async (t) => {
    const proxy = await slowEcho(t);
    const start = performance.now();
    const socket = connect(proxy.port, '127.0.0.1');
    await trip(socket, 'first');
    assert.ok(performance.now() - start >= 2 * roundTripMs);
    for (const word of ['second', 'third']) assert.ok((await trip(socket, word)) >= roundTripMs);
    assert.equal(proxy.bytes(), 2 * 'firstsecondthird'.length);
  });

  it('passes on more than is under way at once, in order, and the end', async (t) => {
    const proxy = await slowEcho(t);
    const sent = randomBytes(40 * 1024 * 1024);
    const socket = connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true });
    socket.end(sent);
    assert.ok((await buffer(socket)).equals(sent));
    assert.equal(proxy.bytes(), 2 * sent.length);
  });

  it('lets a client know that it has hung up, before it says so', async (t) => {
    const proxy = await slowEcho(t);
    const socket = connect(proxy.port, '127.0.0.1');
    await trip(socket, 'here');
    let ended = false;
    socket.on('end', () => {
      ended = true;
    });
    await proxy.hangUp();
    assert.ok(ended);
    const again = connect(proxy.port, '127.0.0.1');
    await trip(again, 'back');
  });
});
