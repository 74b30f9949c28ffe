// The fault proxy in front of a small real server: passing on, logging, going down and up, and its rules.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request } from 'node:http';
import { describe, it } from 'node:test';
import { listenOnFreePort } from './ports.ts';
import { type Fault, type FaultProxy, nth, startProxy, times, when } from './proxy.ts';
import { begin, get, proxied, text, textOf } from './proxy-target.ts';
import { waitFor } from './wait.ts';

describe('startProxy', () => {
  it('passes a request and its answer on and logs both', async (t) => {
    const { proxy, reached } = await proxied(t);
    const answer = await fetch(`${proxy.url}/a/b?x=1&y=2`, { method: 'POST', body: 'größer', headers: { 'X-A': 'b' } });
    assert.equal(await answer.text(), 'größer');
    assert.deepEqual(reached, ['POST /a/b?x=1&y=2']);
    const [entry] = proxy.log;
    assert.equal(entry?.method, 'POST');
    assert.equal(entry?.path, '/a/b');
    assert.equal(entry?.query.get('y'), '2');
    assert.equal(entry?.headers['x-a'], 'b');
    assert.equal(entry?.body, 'größer');
    assert.equal(entry?.status, 200);
    assert.equal(entry?.answer, 'größer');
  });

  it('passes on each piece of a long answer as it comes, and ends the target’s side when the client leaves', async (t) => {
    const { proxy } = await proxied(t);
    const watch = begin(`${proxy.url}/watch`);
    const [first] = (await once(await watch.answer, 'data')) as [Buffer];
    assert.equal(String(first), '{"n":1}\n');
    watch.giveUp();
    await waitFor(() => proxy.log[0]?.done, { what: 'the proxy to notice that the client left' });
  });

  it('serves several requests on one connection', async (t) => {
    const { proxy } = await proxied(t);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    t.after(() => agent.destroy());
    const ports = new Set<number | undefined>();
    for (let i = 0; i < 3; i++) {
      const [answer] = (await once(request(proxy.url, { agent }).end(), 'response')) as [IncomingMessage];
      ports.add(answer.socket.localPort);
      await once(answer.resume(), 'end');
    }
    assert.equal(ports.size, 1);
  });

  it('resets the client when the target is not there', async (t) => {
    const gone = createServer();
    const port = await listenOnFreePort(gone);
    gone.close();
    const proxy = await startProxy({ target: new URL(`http://127.0.0.1:${port}`) });
    t.after(() => proxy.close());
    assert.equal((await get(proxy.url)).error, 'ECONNRESET');
    assert.equal(proxy.log[0]?.status, undefined);
  });

  it('refuses connections while down, and is up again on the same port', async (t) => {
    const { proxy, reached } = await proxied(t);
    const url = proxy.url;
    const watch = get(`${url}/watch`);
    await waitFor(() => reached.length > 0, { what: 'the watch to reach the target' });
    await proxy.down();
    assert.equal((await watch).error, 'ECONNRESET');
    assert.equal((await get(url)).error, 'ECONNREFUSED');
    await proxy.up();
    assert.equal(proxy.url, url);
    assert.equal(textOf(await get(url)), text);
  });

  it('resets every open connection and goes on serving', async (t) => {
    const { proxy } = await proxied(t);
    const watch = get(`${proxy.url}/watch`, () => proxy.resetAll());
    assert.equal((await watch).error, 'ECONNRESET');
    assert.equal(textOf(await get(proxy.url)), text);
  });
});

describe('rules', () => {
  const busy: Fault = { kind: 'answer', status: 503 };
  const statuses = async (proxy: FaultProxy, ...paths: string[]): Promise<(number | undefined)[]> => {
    const got: (number | undefined)[] = [];
    for (const path of paths) got.push((await get(proxy.url + path)).status);
    return got;
  };

  it('times(2) strikes the first two, nth(2) the second only', async (t) => {
    const { proxy } = await proxied(t);
    const remove = proxy.rule(times(2, busy));
    assert.deepEqual(await statuses(proxy, '/', '/', '/'), [503, 503, 200]);
    remove();
    proxy.rule(nth(2, busy));
    assert.deepEqual(await statuses(proxy, '/', '/', '/'), [200, 503, 200]);
  });

  it('when() asks its rule only for requests that fit', async (t) => {
    const { proxy } = await proxied(t);
    proxy.rule(when({ method: 'GET', path: /^\/a/, query: { watch: 'true' } }, times(1, busy)));
    assert.deepEqual(
      await statuses(proxy, '/a', '/b?watch=true', '/a?watch=true', '/a?watch=true'),
      [200, 200, 503, 200],
    );
  });

  it('a rule knows the ordinal number of the request', async (t) => {
    const { proxy } = await proxied(t);
    proxy.rule(({ number }) => (number === 2 ? busy : undefined));
    assert.deepEqual(await statuses(proxy, '/', '/', '/'), [200, 503, 200]);
  });
});
