// git over https with a private certificate authority, and through a proxy.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { describe, it, type TestContext } from 'node:test';
import { startForwardProxy } from '../../test/env/forward-proxy.ts';
import { leftovers, type SourceSettings, testRepository } from '../../test/env/git-fixture.ts';
import { privateAuthority } from '../../test/env/tls-authority.ts';
import { startTlsFront } from '../../test/env/tls-front.ts';
import { loadTrust } from '../trust.ts';

const credentials = { username: 'ada', password: 'canary-pass' };
const login = { username: 'pro xy', password: 'canary:p@ss/word' };
const PATH = process.env['PATH'];

/** acme/app behind TLS for 127.0.0.1 and git.test, with a certificate of an authority of its own. */
async function start(t: TestContext, settings: SourceSettings = {}) {
  const fixture = await testRepository(t, { credentials }, { allowInsecureCredentials: false, ...settings });
  const authority = await privateAuthority(t);
  const pair = authority.issue(['git.test', '127.0.0.1']);
  const { port } = await startTlsFront(t, { target: new URL(fixture.server.url), pair });
  const commit = await fixture.repository.commit({ 'ci/job.yaml': 'over TLS' });
  return { ...fixture, authority, port, commit };
}

/** What main makes of -ca-file for git. */
async function trustFile(caFile: string): Promise<string> {
  const file = `${caFile}.all`;
  await writeFile(file, (await loadTrust(caFile))?.join('\n') ?? '');
  return file;
}

describe('read over https', () => {
  it('refuses a certificate of a private authority, and says which flag makes it known', async (t) => {
    const { read, port, commit } = await start(t);
    await assert.rejects(read({ url: `https://127.0.0.1:${port}/acme/app.git`, commit }, credentials), {
      name: 'WaitingError',
      reason: 'RepositoryUnreachable',
      message: /certificate.* named with the flag -ca-file$/,
    });
  });

  it('takes it once the authority is trusted, and sends credentials', async (t) => {
    const environment: Record<string, string | undefined> = { PATH };
    const { read, port, commit, authority, server } = await start(t, { environment });
    environment['GIT_SSL_CAINFO'] = await trustFile(authority.file);
    assert.equal(await read({ url: `https://127.0.0.1:${port}/acme/app.git`, commit }, credentials), 'over TLS');
    assert.ok(server.requests.every(({ authorization }) => authorization));
    const other = `https://localhost:${port}/acme/app.git`; // not in the certificate
    await assert.rejects(read({ url: other, commit }, credentials), { reason: 'RepositoryUnreachable' });
  });

  it('goes through HTTPS_PROXY with its user and password, but not to what NO_PROXY names', async (t) => {
    const environment: Record<string, string | undefined> = { PATH, NO_PROXY: '127.0.0.0/8' };
    const { read, port, commit, authority, lines } = await start(t, { environment });
    environment['GIT_SSL_CAINFO'] = await trustFile(authority.file);
    const proxy = await startForwardProxy(t, { hosts: { 'git.test': port }, credentials: login });
    environment['HTTPS_PROXY'] = proxy.url;
    const url = 'https://git.test/acme/app.git';
    assert.equal(await read({ url, commit }, credentials), 'over TLS');
    const tunnels = proxy.log.length;
    assert.ok(proxy.log.includes('CONNECT git.test:443'), proxy.log.join());
    assert.equal(await read({ url: `https://127.0.0.1:${port}/acme/app.git`, commit }, credentials), 'over TLS');
    assert.equal(proxy.log.length, tunnels);
    environment['HTTPS_PROXY'] = proxy.url.replace('canary', 'wrong-canary');
    await assert.rejects(read({ url, commit }, credentials), (error: Error & { reason: string }) => {
      assert.equal(error.reason, 'RepositoryUnreachable');
      assert.match(error.message, /the proxy of HTTPS_PROXY refuses its user and password \(407\)$/);
      assert.doesNotMatch(`${error.message}${lines.join()}`, /canary/);
      return true;
    });
    environment['HTTPS_PROXY'] = proxy.url;
    await assert.rejects(read({ url: 'https://other.test/acme/app.git', commit }, credentials), {
      name: 'WaitingError',
      message:
        /other\.test\/acme\/app\.git cannot be reached: the proxy of HTTPS_PROXY does not let it through \(403\)$/,
    });
  });

  it('goes through HTTP_PROXY to a repository over plain http', async (t) => {
    const environment: Record<string, string | undefined> = { PATH };
    const fixture = await testRepository(t, {}, { environment });
    const commit = await fixture.repository.commit({ 'ci/job.yaml': 'plain' });
    const proxy = await startForwardProxy(t, { hosts: { 'git.test': Number(new URL(fixture.server.url).port) } });
    environment['http_proxy'] = proxy.url;
    assert.equal(await fixture.read({ url: 'http://git.test/acme/app.git', commit }), 'plain');
    assert.match(proxy.log[0] ?? '', /^POST http:\/\/git\.test\/acme\/app\.git\/git-upload-pack/);
    assert.deepEqual(await leftovers(fixture), []);
  });
});
