// Why ssh did not come to a manifest, each in words a person can act on, from what the real ssh and sshd say.
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { before, describe, it } from 'node:test';
import { leftovers, testRepository, testSource } from '../../test/env/git-fixture.ts';
import { listenOnFreePort } from '../../test/env/ports.ts';
import { testSshRepository } from '../../test/env/ssh-fixture.ts';
import { type ClientKey, makeKey } from '../../test/env/ssh-server.ts';
import { findSshd } from '../../test/env/sshd.ts';
import { explainSsh } from './ssh-failure.ts';
import { checkFile } from './validate.ts';

const found = await findSshd();
const skip = typeof found === 'string' ? found : false;
const sshd = typeof found === 'string' ? { file: '' } : found;
const path = 'ci/job.yaml';
const terminal = 'TerminalError';

describe('read over ssh', { skip }, () => {
  it('refuses an unknown host key, and shows its fingerprint and the line that makes it known', async (t) => {
    const fixture = await testSshRepository(t, sshd);
    const commit = await fixture.repository.commit({ [path]: 'text' });
    const { sshPrivateKey } = fixture.credentials;
    const error = await fixture.read({ commit }, { sshPrivateKey }).then(
      () => assert.fail('it was read'),
      (thrown: Error & { reason: string }) => thrown,
    );
    assert.equal(error.name, terminal);
    assert.equal(error.reason, 'HostKeyUnknown');
    assert.match(error.message, /showed a ssh-ed25519 key with the fingerprint SHA256:[A-Za-z0-9+/]{43},/);
    const line = await fixture.server.knownHost('ed25519');
    assert.ok(error.message.endsWith(`: ${line}`), error.message);
    assert.equal(await fixture.read({ commit }, { sshPrivateKey, knownHosts: line }), 'text');
    assert.equal((await fixture.server.requests()).length, 1); // none before the key was known
  });

  it('refuses a host key that is another than the known one, and one that is revoked', async (t) => {
    const fixture = await testSshRepository(t, sshd, { sshd: { hostKeys: ['ed25519'] } });
    const { sshPrivateKey, knownHosts } = fixture.credentials;
    const [host] = knownHosts.split(' ');
    const other = await makeKey('ed25519');
    await assert.rejects(fixture.read({}, { sshPrivateKey, knownHosts: `${host} ${other.publicKey}` }), {
      name: terminal,
      reason: 'HostKeyMismatch',
      message:
        /fingerprint SHA256:\S{43}, which is not the one known for \[127\.0\.0\.1\]:\d+.* and remove the old one$/,
    });
    await assert.rejects(fixture.read({}, { sshPrivateKey, knownHosts: `${knownHosts}\n@revoked ${knownHosts}` }), {
      reason: 'HostKeyMismatch',
      message: /marked @revoked/,
    });
    assert.deepEqual(await fixture.server.requests(), []);
    assert.deepEqual(await leftovers(fixture), []);
  });

  it('says that the server refused the key', async (t) => {
    const fixture = await testSshRepository(t, sshd);
    const { privateKey } = await makeKey('ecdsa');
    await assert.rejects(fixture.read({}, { ...fixture.credentials, sshPrivateKey: privateKey }), {
      name: terminal,
      reason: 'AuthenticationFailed',
      message: /refused the key that spec\.sshPrivateKeySecret names: add its public half there as a deploy key/,
    });
  });

  it('says that there is no such repository', async (t) => {
    const fixture = await testSshRepository(t, sshd);
    await assert.rejects(fixture.read({ url: fixture.server.url('acme/none') }), {
      name: terminal,
      reason: 'RepositoryNotFound',
      message:
        /acme\/none\.git, or this key may not read it.*The server says ".*does not appear to be a git repository"$/,
    });
  });

  it('says that the host cannot be reached or does not speak ssh, and tries again', async (t) => {
    const source = await testSource(t, { limits: { silentSeconds: 1 } });
    const credentials = { sshPrivateKey: (await makeKey('ed25519')).privateKey };
    const noSsh = createServer((socket) => socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const silent = createServer((socket) => socket.on('error', () => {}));
    t.after(() => [noSsh, silent].map((server) => server.close()));
    const cases = [
      ['127.0.0.1:1', /cannot be reached: .*Connection refused/],
      [`${'a'.repeat(60)}.invalid`, /cannot be reached: .*resolve/],
      [`127.0.0.1:${await listenOnFreePort(noSsh)}`, /cannot be reached: .+/],
      [`127.0.0.1:${await listenOnFreePort(silent)}`, /cannot be reached: .*timed out/],
    ] as const;
    for (const [host, message] of cases) {
      const reading = source.read({ url: `ssh://git@${host}/a/b.git` }, credentials);
      await assert.rejects(reading, { name: 'WaitingError', reason: 'RepositoryUnreachable', message });
    }
  });
});

describe('read with the wrong credentials', () => {
  let key: ClientKey;
  before(async () => {
    key = await makeKey('ed25519');
  });
  const url = 'git@127.0.0.1:acme/app.git';

  it('of an ssh URL asks for a key before anything is started', async (t) => {
    const source = await testSource(t);
    const expected = { name: terminal, reason: 'AuthenticationFailed' };
    const withoutAny = { ...expected, message: /always needs a key: name the Secret .* in spec\.sshPrivateKeySecret$/ };
    await assert.rejects(source.read({ url }), withoutAny);
    const withPassword = { ...expected, message: /ssh takes a key, not a user name and password.*or write an https/ };
    await assert.rejects(source.read({ url }, { username: 'ada', password: 'secret' }), withPassword);
  });

  it('of an http URL says that a key is not for it, where the server asks for a password', async (t) => {
    const fixture = await testRepository(t, { credentials: { username: 'ada', password: 'secret' } });
    await assert.rejects(fixture.read({}, { sshPrivateKey: key.privateKey }), {
      reason: 'AuthenticationFailed',
      message: /name a passwordSecret.*sshPrivateKeySecret is for ssh URLs: write spec\.repository as git@host/,
    });
  });

  it('refuses lines that are no known hosts without showing them', async (t) => {
    const source = await testSource(t);
    const line = `127.0.0.1 ${key.publicKey}`;
    for (const knownHosts of ['', '# none', 'canary-password', `${line}\ncanary-password`, key.publicKey]) {
      const reading = source.read({ url }, { sshPrivateKey: key.privateKey, knownHosts });
      await assert.rejects(reading, (error: Error & { reason: string }) => {
        assert.equal(error.reason, 'KnownHostsInvalid');
        assert.match(error.message, /^spec\.knownHosts (has no line|is wrong in line \d)/);
        return !error.message.includes('canary');
      });
    }
  });
});

describe('explainSsh', () => {
  const wanted = checkFile({ url: 'git@github.com:a/b', commit: 'a'.repeat(40), ref: 'refs/heads/main', path: 'x' });
  const reason = (log: string, words = '') => explainSsh({ wanted, words, report: { log, seen: undefined } })?.reason;
  const authenticated = 'Authenticated to github.com ([140.82.121.4]:22) using "publickey".\n';
  const end =
    '\nfatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\n';

  // What forges say on standard error after the key was accepted.
  const refusals = [
    'ERROR: Repository not found.',
    "remote: \nremote: ERROR: The project you were looking for could not be found or you don't have permission to view it.",
    'remote: You may not have access to this repository or it no longer exists: access denied',
    'Gitea: Unauthorized',
  ];
  for (const words of refusals) {
    it(`takes ${JSON.stringify(words).slice(0, 60)} for a repository that is not there`, () => {
      assert.equal(reason(authenticated, words + end), 'RepositoryNotFound');
    });
  }

  it('leaves other words after the key was accepted to git', () => {
    assert.equal(reason(authenticated, `the disk is full${end}`), undefined);
    assert.equal(reason(authenticated, 'fatal: permission of no end'), undefined);
  });

  it('does not take what a server says in its line for what ssh says', () => {
    const log =
      'Received disconnect from 10.0.0.1 port 22:2: Host key verification failed.\nDisconnected from 10.0.0.1';
    assert.equal(reason(log), 'RepositoryUnreachable');
  });

  it('tells the installation that its user has no name', () => {
    assert.equal(reason('No user exists for uid 65532\n'), 'FetchFailed');
  });
});
