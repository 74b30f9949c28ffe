// The way to sinks: private certificate authorities and proxies, as git goes (git/tls.test.ts).
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { startForwardProxy } from '../test/env/forward-proxy.ts';
import { startSink } from '../test/env/sink.ts';
import { privateAuthority } from '../test/env/tls-authority.ts';
import { startTlsFront } from '../test/env/tls-front.ts';
import { systemClock as clock } from './clock.ts';
import { createHttpPost, type HttpAnswer } from './http.ts';
import { loadTrust } from './trust.ts';

type Env = Readonly<Record<string, string>>;

/** A sink behind TLS for chat.test and 127.0.0.1, and a POST to it. */
async function start(t: TestContext) {
  const sink = await startSink(t);
  const authority = await privateAuthority(t);
  const pair = authority.issue(['chat.test', '127.0.0.1']);
  const { port } = await startTlsFront(t, { target: new URL(sink.url), pair });
  const ca = await loadTrust(authority.file);
  const post = (url: string, way: { trusts: boolean; environment?: Env }): Promise<HttpAnswer> => {
    const { trusts, environment = {} } = way;
    const http = createHttpPost({ clock, userAgent: 'test', way: { ca: trusts ? ca : undefined, environment } });
    return http({
      url,
      json: { text: 'x' },
      headers: { authorization: 'token canary' },
      signal: new AbortController().signal,
    });
  };
  return { sink, port, post, authority };
}

describe('createHttpPost', () => {
  it('refuses a certificate of a private authority until it is trusted', async (t) => {
    const { sink, port, post } = await start(t);
    const url = `https://127.0.0.1:${port}/hook`;
    await assert.rejects(post(url, { trusts: false }), {
      name: 'WaitingError',
      message: /: its certificate is of an authority that is not trusted here \(the flag -ca-file/,
    });
    assert.equal(sink.log.length, 0);
    assert.equal((await post(url, { trusts: true })).status, 200);
    await assert.rejects(post(url.replace('127.0.0.1', 'localhost'), { trusts: true }), {
      message: /its certificate is for another name$/,
    });
  });

  it('goes through HTTPS_PROXY with its user and password, but not to what NO_PROXY names', async (t) => {
    const { sink, port, post } = await start(t);
    const login = { username: 'pro xy', password: 'p@ss/word' };
    const proxy = await startForwardProxy(t, { hosts: { 'chat.test': port }, credentials: login });
    const environment = { HTTPS_PROXY: proxy.url, NO_PROXY: '127.0.0.0/8' };
    assert.equal((await post('https://chat.test/hook', { trusts: true, environment })).status, 200);
    assert.deepEqual(proxy.log, ['CONNECT chat.test:443']);
    assert.deepEqual(
      sink.log.map(({ method, path, headers }) => [
        method,
        path,
        headers['authorization'],
        headers['proxy-authorization'],
      ]),
      [['POST', '/hook', 'token canary', undefined]],
    );
    await post(`https://127.0.0.1:${port}/hook`, { trusts: true, environment });
    assert.equal(proxy.log.length, 1);
    await assert.rejects(post('https://chat.test/hook', { trusts: false, environment }), {
      message: /not trusted here/,
    });
  });

  it('goes through HTTP_PROXY to a sink over plain http', async (t) => {
    const { sink, post } = await start(t);
    const proxy = await startForwardProxy(t, { hosts: { 'chat.test': Number(new URL(sink.url).port) } });
    assert.equal(
      (await post('http://chat.test/hook', { trusts: false, environment: { http_proxy: proxy.url } })).status,
      200,
    );
    assert.deepEqual(proxy.log, ['POST http://chat.test/hook']);
  });

  it('says that the proxy is to blame, without its password', async (t) => {
    const { post } = await start(t);
    const proxy = await startForwardProxy(t, { hosts: {}, credentials: { username: 'a', password: 'canary' } });
    const message = /^chat\.test cannot be reached through the proxy: the proxy does not let it through$/;
    for (const url of [proxy.url, proxy.url.replace('canary', 'x')]) {
      const environment = { HTTPS_PROXY: url };
      await assert.rejects(post('https://chat.test/hook', { trusts: true, environment }), { message });
    }
    await assert.rejects(
      post('https://chat.test/hook', { trusts: true, environment: { HTTPS_PROXY: 'http://127.0.0.1:1' } }),
      {
        message: /through the proxy: the connection was refused$/,
      },
    );
  });
});
