// What an attacker writes or a bad server does: no process started, no secret shown, nothing left running or on disk.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { access, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import {
  leftovers,
  processesOf,
  type SourceFixture,
  testRepository,
  testSource,
  until,
} from '../../test/env/git-fixture.ts';

const credentials = { username: 'ada', password: 'canary-7f3a' };
const canaries = [credentials.password, Buffer.from(`ada:${credentials.password}`).toString('base64')];

describe('credentials', () => {
  it('reach the server in the header and are in no command line, folder, log or error', async (t) => {
    const samples: string[] = [];
    const fixture: SourceFixture[] = [];
    const onRequest = () => {
      for (const source of fixture) samples.push(...processesOf(source).map((process) => process.commandLine));
    };
    const source = await testRepository(t, { credentials, onRequest }, { direct: false });
    fixture.push(source);
    const commit = await source.repository.commit({ 'ci/job.yaml': 'private' });
    assert.equal(await source.read({ commit }, credentials), 'private');
    assert.ok(source.server.requests.every((request) => request.authorization && request.status === 200));
    await assert.rejects(
      source.read({ commit }, { ...credentials, password: `${canaries[0]}-wrong` }),
      (error: Error) => {
        assert.match(error.message, /refused the credentials/);
        return !canaries.some((canary) => `${error.message} ${error.stack}`.includes(canary));
      },
    );
    await assert.rejects(source.read({ commit }), { reason: 'AuthenticationFailed', message: /asks for credentials/ });
    assert.ok(
      samples.some((line) => line.includes('remote-http')),
      'the sampling saw git',
    );
    const shown = [...samples, ...source.lines].join('\n');
    assert.deepEqual(
      canaries.filter((canary) => shown.includes(canary)),
      [],
    );
  });

  it('belong to one host and to the commands that fetch, in an environment of their own', async (t) => {
    const seen: string[] = [];
    const fixture: SourceFixture[] = [];
    const onRequest = () => {
      for (const source of fixture) seen.push(...processesOf(source).map((process) => process.environment));
    };
    const environment = {
      PATH: process.env['PATH'],
      SECRET_OF_KUBE_GIT: 'planted',
      https_proxy: 'http://proxy.invalid',
      GIT_SSH_COMMAND: 'planted',
    };
    const source = await testRepository(t, { onRequest }, { environment, direct: false });
    fixture.push(source);
    const commit = await source.repository.commit({ 'ci/job.yaml': 'x' });
    assert.equal(await source.read({ commit }, { password: 'canary-only' }), 'x');
    assert.ok(seen.length > 0);
    for (const one of seen) {
      assert.doesNotMatch(one, /planted/);
      assert.doesNotMatch(one, /proxy\.invalid/); // the repository is http
      assert.match(one, /=http\.proxy /);
      assert.match(one, /GIT_ALLOW_PROTOCOL=http /);
      assert.match(one, new RegExp(`=http\\.${source.server.url}/\\.extraHeader `));
    }
  });
});

describe('hostile inputs', () => {
  const inputs = (sentinel: string) => [
    ...[
      `--upload-pack=touch ${sentinel}`,
      `-c core.sshCommand=touch%20${sentinel}`,
      `--exec=touch ${sentinel}`,
      `-utouch ${sentinel}`,
    ].flatMap((text) => [{ url: text }, { commit: text }, { ref: text }]),
    { url: `ext::sh -c touch% ${sentinel}` },
    { url: 'fd::0' },
    { url: 'file:///etc' },
    { url: `https://h/a\nhost=x` },
    { ref: `refs/heads/main:refs/heads/x` },
    { path: `../${sentinel}` },
    { path: 'a\0b' },
  ];

  it('are refused before anything is started', async (t) => {
    const source = await testSource(t);
    const sentinel = join(source.directory, 'sentinel');
    await rm(source.directory, { recursive: true }); // a session would fail here with ENOENT
    for (const input of inputs(sentinel)) {
      await assert.rejects(source.read(input), {
        name: 'TerminalError',
        reason: /^Invalid(Repository|Commit|Ref|Path)$/,
      });
    }
    await assert.rejects(access(sentinel), { code: 'ENOENT' });
  });

  it('stay data where they are valid names of files and refs', async (t) => {
    const { repository, read, directory } = await testRepository(t, { like: 'old' });
    const sentinel = join(directory, 'sentinel');
    const path = `--upload-pack=touch ${sentinel}`;
    const branch = `x;touch$IFS${sentinel.slice(1)};$(id)`;
    await repository.commit({ [path]: 'first' }, { branch });
    const commit = await repository.git(['rev-parse', `refs/heads/${branch}`]);
    assert.equal(await read({ commit, path, ref: `refs/heads/${branch}` }), 'first');
    await assert.rejects(access(sentinel), { code: 'ENOENT' });
  });
});

/** A server that takes connections and answers with `say`. */
async function silentServer(t: TestContext, say: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    say(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { sockets, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/a/b.git` };
}

const head = 'HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\n\r\n';

describe('a bad server', () => {
  it('that says nothing is left on abort, with no process and no folder behind', async (t) => {
    const source = await testSource(t, { direct: false });
    const { url, sockets } = await silentServer(t, () => {});
    const abort = new AbortController();
    const reading = source.read({ url }, credentials, abort.signal);
    await until(() => sockets.size > 0);
    assert.ok(processesOf(source).length >= 2, 'git and its child are running');
    abort.abort(new Error('the run was deleted'));
    await assert.rejects(reading, { message: 'the run was deleted' });
    assert.deepEqual(processesOf(source), []);
    assert.deepEqual(await leftovers(source), []);
  });

  it('that trickles is left at the time limit, and others get their turn', async (t) => {
    const source = await testSource(t, { limits: { readMs: 700, concurrentReads: 1 } });
    const timers: NodeJS.Timeout[] = [];
    t.after(() => timers.forEach(clearInterval));
    const { url } = await silentServer(t, (socket) => {
      socket.write(head);
      timers.push(setInterval(() => socket.write('0'), 50));
    });
    const second = { name: 'WaitingError', reason: 'RepositoryTooSlow', message: /took longer than 0.7 s/ };
    await Promise.all([assert.rejects(source.read({ url }), second), assert.rejects(source.read({ url }), second)]);
    assert.deepEqual(processesOf(source), []);
    assert.deepEqual(await leftovers(source), []);
  });

  it('that falls silent is given up by git itself', async (t) => {
    const source = await testSource(t, { limits: { silentSeconds: 1 } });
    const { url } = await silentServer(t, (socket) => socket.write(head));
    const expected = { name: 'WaitingError', reason: 'RepositoryTooSlow', message: /answers too slowly: .*1000 bytes/ };
    await assert.rejects(source.read({ url }), expected);
  });

  it('that never ends its answer meets the memory limit', async (t) => {
    const source = await testSource(t, { limits: { memoryBytes: 192 * 2 ** 20 } });
    const { url } = await silentServer(t, (socket) => {
      const piece = Buffer.from(`fff0${'x'.repeat(0xffec)}`.repeat(16));
      const more = () => {
        while (socket.writable && socket.write(piece));
      };
      socket.write(head);
      socket.on('drain', more);
      more();
    });
    await assert.rejects(source.read({ url }), { name: 'WaitingError', reason: 'FetchFailed' });
    assert.deepEqual(processesOf(source), []);
  });

  it('that sends a large pack meets the pack limit', async (t) => {
    const limits = { packBytes: 2 * 2 ** 20 };
    const source = await testRepository(t, { like: 'old' }, { limits });
    const commit = await source.repository.commit({ big: randomBytes(5 * 2 ** 20), 'ci/job.yaml': 'x' });
    const expected = {
      name: 'TerminalError',
      reason: 'RepositoryTooLarge',
      message: /sends more than 2 MiB for one commit/,
    };
    await assert.rejects(source.read({ commit }), expected);
    assert.deepEqual(await leftovers(source), []);
  });

  it('that sends a manifest of 5 MB is cut off at its limit', async (t) => {
    const source = await testRepository(t);
    const commit = await source.repository.commit({ 'ci/job.yaml': randomBytes(5 * 2 ** 20) });
    await assert.rejects(source.read({ commit }), { name: 'TerminalError', reason: 'ManifestTooLarge' });
    assert.deepEqual(processesOf(source), []);
    assert.deepEqual(await leftovers(source), []);
  });
});

describe('an aborted signal', () => {
  it('ends a read that waits for its turn, and one that has not begun', async (t) => {
    const source = await testSource(t, { limits: { concurrentReads: 1 } });
    const { url, sockets } = await silentServer(t, () => {});
    const [first, second] = [new AbortController(), new AbortController()];
    const reads = [first, second].map(({ signal }) => source.read({ url }, {}, signal));
    await until(() => sockets.size > 0);
    second.abort(new Error('second'));
    await assert.rejects(reads[1] ?? Promise.resolve(), { message: 'second' });
    first.abort(new Error('first'));
    await assert.rejects(reads[0] ?? Promise.resolve(), { message: 'first' });
    await assert.rejects(source.read({ url }, {}, first.signal), { message: 'first' });
    assert.deepEqual(await leftovers(source), []);
  });
});
