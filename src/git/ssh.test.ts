// Repositories over ssh: a real sshd with real keys, and git's own upload-pack behind it.
import assert from 'node:assert/strict';
import { access, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { leftovers, processesOf, until } from '../../test/env/git-fixture.ts';
import { listenOnFreePort } from '../../test/env/ports.ts';
import { testSshRepository } from '../../test/env/ssh-fixture.ts';
import { type KeyKind, makeKey } from '../../test/env/ssh-server.ts';
import { findSshd } from '../../test/env/sshd.ts';

const found = await findSshd();
const skip = typeof found === 'string' ? found : false;
const sshd = typeof found === 'string' ? { file: '' } : found;
const path = 'ci/job.yaml';
const asked = `version=2 git-upload-pack '/acme/app.git'`;

describe('read over ssh', { skip }, () => {
  it('gives the file of the pushed commit, with protocol 2 and one connection for all steps', async (t) => {
    const fixture = await testSshRepository(t, sshd);
    const commit = await fixture.repository.commit({ 'a/b/c/job.yaml': 'pushed' });
    await fixture.repository.commit({ 'a/b/c/job.yaml': 'later' });
    assert.equal(await fixture.read({ commit, path: 'a/b/c/job.yaml' }), 'pushed');
    assert.deepEqual(await fixture.server.requests(), [asked]);
    assert.deepEqual(await leftovers(fixture), []);
    assert.deepEqual(processesOf(fixture), []);
    assert.deepEqual(fixture.lines, []);
  });

  it('connects for nothing it has read before, and shares nothing with another key', async (t) => {
    const fixture = await testSshRepository(t, sshd);
    const commit = await fixture.repository.commit({ [path]: 'pushed' });
    assert.equal(await fixture.read({ commit }), 'pushed');
    assert.equal(await fixture.read({ commit }), 'pushed');
    assert.deepEqual(await fixture.server.requests(), [asked]);
    const { privateKey } = await makeKey('ed25519');
    const reading = fixture.read({ commit }, { ...fixture.credentials, sshPrivateKey: privateKey });
    await assert.rejects(reading, { reason: 'AuthenticationFailed' });
  });

  it('gives the file with the git program, too', async (t) => {
    const fixture = await testSshRepository(t, sshd, { settings: { direct: false } });
    const commit = await fixture.repository.commit({ [path]: 'pushed' });
    await fixture.repository.commit({ [path]: 'later' });
    assert.equal(await fixture.read({ commit }), 'pushed');
    assert.deepEqual(await fixture.server.requests(), [asked, asked]);
    assert.deepEqual(await leftovers(fixture), []);
    assert.deepEqual(processesOf(fixture), []);
  });

  it('takes git@host:path', async (t) => {
    const fixture = await testSshRepository(t, sshd, { sshd: { hostKeys: ['ed25519', 'rsa'] } });
    const url = fixture.server.scpUrl('acme/app');
    if (url === undefined) return t.skip('port 22 needs root');
    const commit = await fixture.repository.commit({ [path]: 'pushed' });
    const knownHosts = await fixture.server.knownHost('rsa', 'scp');
    assert.equal(await fixture.read({ url, commit }, { ...fixture.credentials, knownHosts }), 'pushed');
    assert.equal((await fixture.server.requests())[0], `version=2 git-upload-pack 'acme/app.git'`);
  });

  const formats: readonly (readonly [string, KeyKind, readonly string[]])[] = [
    ['ed25519', 'ed25519', ['-N', '']],
    ['ECDSA', 'ecdsa', ['-N', '']],
    ['ECDSA in PEM', 'ecdsa', ['-N', '', '-m', 'PEM']],
    ['ECDSA in PKCS #8', 'ecdsa', ['-N', '', '-m', 'PKCS8']],
    ['ECDSA of 521 bits', 'ecdsa', ['-N', '', '-b', '521']],
    ['RSA', 'rsa', ['-N', '', '-b', '2048']],
    ['RSA in PEM', 'rsa', ['-N', '', '-b', '2048', '-m', 'PEM']],
    ['RSA in PKCS #8', 'rsa', ['-N', '', '-b', '2048', '-m', 'PKCS8']],
  ];
  it('takes every kind and format of key, without the newline at its end', async (t) => {
    const fixture = await testSshRepository(t, sshd);
    const commit = await fixture.repository.commit({ [path]: 'text' });
    for (const [name, kind, args] of formats) {
      const key = await makeKey(kind, args);
      await fixture.server.authorize([key.publicKey]);
      assert.equal(
        await fixture.read({ commit }, { ...fixture.credentials, sshPrivateKey: key.privateKey.trimEnd() }),
        'text',
        name,
      );
    }
  });

  it('falls back where the server has neither protocol 2 nor filters nor commits by id', async (t) => {
    const fixture = await testSshRepository(t, sshd, { git: { like: 'old' }, sshd: { like: 'old' } });
    const first = await fixture.repository.commit({ [path]: 'first' });
    await fixture.repository.commit({ [path]: 'second' });
    assert.equal(await fixture.read({ commit: first }), 'first');
    assert.equal(fixture.lines.length, 3, 'objects, without blobs, by its id');
    assert.ok((await fixture.server.requests()).every((request) => request.startsWith(' git-upload-pack')));
    const gone = { commit: '0123456789abcdef0123456789abcdef01234567', ref: 'refs/heads/none' };
    await assert.rejects(fixture.read(gone), { reason: 'CommitNotFound' });
  });

  it('keeps protocol 0 with filters and commits by id where only the version is refused', async (t) => {
    const fixture = await testSshRepository(t, sshd, { sshd: { like: 'old' } });
    const commit = await fixture.repository.commit({ [path]: 'first' });
    await fixture.repository.commit({ [path]: 'second' });
    assert.equal(await fixture.read({ commit }), 'first');
    assert.equal(fixture.lines.length, 1, 'object by object only');
  });

  it('trusts the file of the installation, and reads it again each time', async (t) => {
    const folder = await testSshRepository(t, sshd);
    const knownHostsFile = join(folder.directory, 'installation');
    const fixture = await testSshRepository(t, sshd, { settings: { knownHostsFile } });
    const commit = await fixture.repository.commit({ [path]: 'text' });
    const { sshPrivateKey } = fixture.credentials;
    await assert.rejects(fixture.read({ commit }, { sshPrivateKey }), {
      name: 'WaitingError',
      message: /-ssh-known-hosts-file cannot be read: ENOENT/,
    });
    await writeFile(knownHostsFile, `# ours\n\n${await fixture.server.knownHost('ecdsa')} a comment\n`);
    assert.equal(await fixture.read({ commit }, { sshPrivateKey }), 'text');
  });

  it('leaves what a repository is called to git, quotes and all', async (t) => {
    const fixture = await testSshRepository(t, sshd);
    const sentinel = join(fixture.directory, 'sentinel');
    const name = `acme/a'$(touch$IFS${sentinel})'b;touch\${IFS}${sentinel};`;
    const url = fixture.server.url(name);
    await assert.rejects(fixture.read({ url }), { reason: 'RepositoryNotFound' });
    await assert.rejects(access(sentinel), { code: 'ENOENT' });
    assert.equal((await fixture.server.requests()).length > 0, true);
  });

  it('keeps the key out of every command line, folder, log and error, and ends ssh on abort', async (t) => {
    const fixture = await testSshRepository(t, sshd);
    await fixture.repository.commit({ [path]: 'text' });
    const canary = fixture.key.privateKey.split('\n')[2] ?? '';
    assert.ok(canary.length > 20);
    const abort = new AbortController();
    const silent = createServer(() => {});
    const port = await listenOnFreePort(silent);
    t.after(() => silent.close());
    const reading = fixture.read({ url: `ssh://git@127.0.0.1:${port}/a/b.git` }, fixture.credentials, abort.signal);
    reading.catch(() => {});
    await until(() => processesOf(fixture).some(({ commandLine }) => commandLine.startsWith('ssh ')));
    const running = processesOf(fixture);
    assert.deepEqual(
      running.filter((one) => `${one.commandLine}${one.environment}`.includes(canary)),
      [],
    );
    abort.abort(new Error('enough'));
    await assert.rejects(reading, { message: 'enough' });
    assert.deepEqual(processesOf(fixture), []);
    assert.deepEqual(await leftovers(fixture), []);
    assert.ok(!fixture.lines.join().includes(canary));
  });
});
