import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { proxyFor, proxySecrets } from './proxy.ts';

const proxies = { HTTPS_PROXY: 'http://secure.proxy:3128', HTTP_PROXY: 'http://plain.proxy:3128' };
const through = (url: string, env: Readonly<Record<string, string>> = proxies) => proxyFor(new URL(url), env);

describe('proxyFor', () => {
  it('takes the proxy of the scheme, and none where there is none', () => {
    assert.equal(through('https://api.github.com/x'), 'http://secure.proxy:3128');
    assert.equal(through('http://git.example.com/x'), 'http://plain.proxy:3128');
    assert.equal(through('http://git.example.com/x', { HTTPS_PROXY: 'http://p' }), undefined);
    assert.equal(through('https://git.example.com/x', {}), undefined);
  });

  it('takes lower case first, and a proxy without a scheme for http', () => {
    assert.equal(through('https://h/', { ...proxies, https_proxy: 'other:1' }), 'http://other:1');
    assert.equal(through('https://h/', { https_proxy: '', HTTPS_PROXY: 'https://p:8443' }), 'https://p:8443');
  });

  // What git and Node read differently, or one of them not at all.
  for (const [written, meant] of [
    ['http://p', 'http://p:80'],
    ['HTTP://p:80/', 'http://p:80'],
    ['https://p', 'https://p:443'],
    ['http://[::1]:3128', 'http://[::1]:3128'],
    ['http://token@p:1', 'http://token:@p:1'],
    ['http://ada:p@ss word@p:1', 'http://ada:p%40ss%20word@p:1'],
  ] as const) {
    it(`reads ${written} as ${meant}`, () => assert.equal(through('https://h/', { HTTPS_PROXY: written }), meant));
  }

  // list, URL, whether it goes straight
  const lists: readonly (readonly [string, string, boolean])[] = [
    ['*', 'https://anything/', true],
    ['example.com', 'https://example.com/', true],
    ['example.com', 'https://git.EXAMPLE.com./', true],
    ['example.com', 'https://notexample.com/', false],
    ['.example.com', 'https://git.example.com/', true],
    ['.example.com', 'https://example.com/', false],
    ['*.example.com', 'https://git.example.com/', true],
    ['a, b ,example.com', 'https://example.com/', true],
    ['example.com:8443', 'https://example.com:8443/', true],
    ['example.com:8443', 'https://example.com/', false],
    ['example.com:443', 'https://example.com/', true],
    ['10.0.0.0/8', 'https://10.1.2.3/', true],
    ['10.0.0.0/8', 'https://11.1.2.3/', false],
    ['10.0.0.0/8', 'https://10.example.com/', false],
    ['10.0.0.1', 'https://10.0.0.1:8443/', true],
    ['10.0.0.1:443', 'https://10.0.0.1:8443/', false],
    ['fd00::/8', 'https://[fd00::1]/', true],
    ['::1', 'https://[::1]:8443/', true],
    ['[::1]:8443', 'https://[::1]:8443/', true],
    ['10.0.0.0/99, 10.0.0.0/x, /8', 'https://10.0.0.1/', false],
    ['', 'https://localhost/', false],
  ];
  for (const [list, url, straight] of lists) {
    it(`with NO_PROXY=${list} goes ${straight ? 'straight' : 'through the proxy'} to ${url}`, () => {
      assert.equal(through(url, { ...proxies, NO_PROXY: list }), straight ? undefined : 'http://secure.proxy:3128');
    });
  }
});

describe('proxySecrets', () => {
  it('are the passwords, as they are written and as they are meant', () => {
    assert.deepEqual(proxySecrets({ HTTPS_PROXY: 'http://ada:p%40ss@proxy', http_proxy: 'bob:word@proxy:1' }), [
      'p%40ss',
      'p@ss',
      'word',
    ]);
    assert.deepEqual(proxySecrets({ HTTPS_PROXY: 'http://ada:p@ss@proxy' }), ['p%40ss', 'p@ss']);
    assert.deepEqual(proxySecrets({ HTTPS_PROXY: 'http://proxy' }), []);
  });

  it('are the user where there is no password: that is a token', () => {
    assert.deepEqual(proxySecrets({ HTTPS_PROXY: 'http://token@proxy' }), ['token']);
  });

  for (const text of [
    'http://ada:canary%zz@p:1',
    'http://ada:canary/x@p:1',
    'http://ada:canary#x@p:1',
    'http://ada:canary?x@p:1',
    'http://ada:canary@[',
    'http://ada:canary@p:99999',
    'http://p:1/canary',
    'socks5://ada:canary@p:1',
    'http://',
  ]) {
    it(`are not to be had of ${text}: it is refused, not shown`, () => {
      assert.throws(
        () => proxySecrets({ https_proxy: text }),
        (error: Error) =>
          /^https_proxy is not .*http:\/\/user:password@host:port.*%/.test(error.message) &&
          !/canary/.test(error.message),
      );
    });
  }
});
