import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { waitFor } from '../../test/env/wait.ts';
import { KubeClient } from './client.ts';
import { fixedCredentials } from './credentials.ts';
import { ConnectionError } from './transport.ts';

const things = { group: '', version: 'v1', plural: 'things' };
const thing = { namespace: 'n', name: 'a' };
const object = JSON.stringify({ metadata: { name: 'a', namespace: 'n', resourceVersion: '1' } });
const watchOptions = { resourceVersion: '1', timeoutSeconds: 300, allowWatchBookmarks: true };

/** A server, its open connections, how many there ever were, and a client for it. */
async function start(t: TestContext, listener: RequestListener) {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer(listener);
  server.on('connection', (socket) => {
    connections++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const client = new KubeClient({ server: { url }, credentials: fixedCredentials({ token: 'planted-token' }) });
  t.after(() => {
    client.close();
    server.closeAllConnections();
    server.close();
  });
  return { client, sockets, connections: () => connections };
}

describe('the connections of a client', () => {
  it('are used again: calls one after another share one', async (t) => {
    const { client, connections } = await start(t, (_request, response) => response.end(object));
    for (let n = 0; n < 20; n++) await client.get(things, thing);
    assert.equal(connections(), 1);
  });

  it('are at most 32 for calls, however many there are at once', async (t) => {
    let arrived = 0;
    const gate = Promise.withResolvers<void>();
    const { client, connections } = await start(t, async (_request, response) => {
      arrived++;
      await gate.promise;
      response.end(object);
    });
    const calls = Array.from({ length: 100 }, () => client.get(things, thing));
    await waitFor(() => arrived === 32, { what: '32 calls' });
    gate.resolve();
    await Promise.all(calls);
    assert.equal(arrived, 100);
    assert.equal(connections(), 32);
  });

  it('of watches are others than those of calls', async (t) => {
    const { client, sockets } = await start(t, (request, response) => {
      if (request.url?.includes('watch=true')) response.flushHeaders();
      else response.end(object);
    });
    const stop = new AbortController();
    const watches = Array.from({ length: 20 }, () => client.watch(things, watchOptions, stop.signal).next());
    await waitFor(() => sockets.size === 20, { what: '20 watches' });
    await client.get(things, thing);
    assert.equal(sockets.size, 21);
    stop.abort(new Error('enough'));
    assert.ok((await Promise.allSettled(watches)).every((result) => result.status === 'rejected'));
    await waitFor(() => sockets.size === 1, { what: 'the watches to be closed' });
  });

  it('that the server closed while idle cost a read nothing', async (t) => {
    const { client, sockets } = await start(t, (_request, response) => response.end(object));
    await client.get(things, thing);
    // Closed without a word in the very moment of the next request.
    for (const socket of sockets) socket.resetAndDestroy();
    assert.equal((await client.get(things, thing)).metadata.name, 'a');
  });

  it('end in the middle of an answer when the caller aborts', async (t) => {
    const { client, sockets } = await start(t, (_request, response) => response.write('{"metadata":'));
    const stop = new AbortController();
    const call = client.get(things, thing, { signal: stop.signal });
    await waitFor(() => sockets.size === 1, { what: 'the request' });
    const reason = new Error('enough');
    stop.abort(reason);
    await assert.rejects(call, (error) => error === reason);
    await waitFor(() => sockets.size === 0, { what: 'the connection to be closed' });
  });

  it('end a watch that its reader leaves', async (t) => {
    const { client, sockets } = await start(t, (_request, response) =>
      response.write(`{"type":"ADDED","object":${object}}\n`),
    );
    for await (const event of client.watch(things, watchOptions, new AbortController().signal)) {
      assert.equal(event.object.metadata.name, 'a');
      break;
    }
    await waitFor(() => sockets.size === 0, { what: 'the connection to be closed' });
  });

  it('never tell the token in an error', async (t) => {
    const { client } = await start(t, (request, response) => {
      if (request.url?.includes('watch')) response.end('garbage\n');
      else if (request.method === 'GET') response.end('{"half');
      else response.destroy();
    });
    const watch = client.watch(things, watchOptions, new AbortController().signal);
    const calls = [client.get(things, thing), client.patch(things, thing, {}), watch.next()];
    const results = await Promise.allSettled(calls);
    const errors = results.map((result) => (result.status === 'rejected' ? result.reason : undefined));
    assert.ok(errors[1] instanceof ConnectionError);
    for (const error of errors) {
      assert.ok(error instanceof Error);
      const { stack, ...fields } = error;
      assert.ok(!`${stack}${error.cause}${JSON.stringify(fields)}`.includes('planted'));
    }
  });
});
