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
    assert.equal(through('https://h/', { https_proxy: '', HTTPS_PROXY: 'https://p' }), 'https://p');
  });

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
      'word',
    ]);
    assert.deepEqual(proxySecrets({ HTTPS_PROXY: 'http://proxy', HTTP_PROXY: 'http://[' }), []);
  });
});
