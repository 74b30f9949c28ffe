import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { leftovers, testRepository, testSource } from '../../test/env/git-fixture.ts';
import type { Credentials } from './git.ts';

const login: Credentials = { username: 'canary-user', password: 'canary-pass word' };
const advertisement = 'application/x-git-upload-pack-advertisement';

/** An http server that answers as told; resolves to its URL. */
async function listen(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/acme/app.git`;
}

const terminal = 'TerminalError';
const waiting = 'WaitingError';
const json = { 'content-type': 'application/json' };

interface Case {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly credentials?: Credentials;
  readonly expected: { name: string; reason: string; message: RegExp; retryAfterMs?: number };
}

const cases: readonly Case[] = [
  {
    status: 401,
    expected: {
      name: terminal,
      reason: 'AuthenticationFailed',
      message: /asks for credentials \(401\): name a passwordSecret/,
    },
  },
  {
    status: 401,
    credentials: login,
    expected: { name: terminal, reason: 'AuthenticationFailed', message: /refused the credentials for http/ },
  },
  {
    status: 403,
    credentials: login,
    expected: { name: terminal, reason: 'AuthenticationFailed', message: /refused the credentials.*\(403\)/ },
  },
  {
    status: 403,
    headers: { 'retry-after': '60' },
    expected: { name: waiting, reason: 'RateLimited', message: /answers 403: too many/, retryAfterMs: 60_000 },
  },
  {
    status: 429,
    headers: { 'Retry-After': '17' },
    expected: { name: waiting, reason: 'RateLimited', message: /answers 429/, retryAfterMs: 17_000 },
  },
  { status: 404, expected: { name: terminal, reason: 'RepositoryNotFound', message: /\(404\), or it is private/ } },
  {
    status: 404,
    credentials: login,
    expected: { name: terminal, reason: 'RepositoryNotFound', message: /or these credentials may not see it/ },
  },
  { status: 410, expected: { name: terminal, reason: 'RepositoryNotFound', message: /\(410\)/ } },
  {
    status: 500,
    headers: { 'content-type': 'text/plain' },
    expected: { name: waiting, reason: 'RepositoryUnreachable', message: /answers 500$/ },
  },
  {
    status: 503,
    headers: { 'retry-after': '5' },
    expected: { name: waiting, reason: 'RepositoryUnreachable', message: /answers 503/, retryAfterMs: 5_000 },
  },
  {
    status: 200,
    headers: { 'content-type': 'text/html; charset=utf-8' },
    body: '<html>log in',
    expected: {
      name: waiting,
      reason: 'RepositoryUnreachable',
      message: /does not answer as a git server does \(text\/html\)/,
    },
  },
  {
    status: 200,
    headers: json,
    body: '{}',
    expected: { name: waiting, reason: 'RepositoryUnreachable', message: /\(application\/json\)/ },
  },
  {
    status: 200,
    headers: { 'content-type': advertisement },
    body: '001e# service=git-upload-pack\n0000000e',
    expected: { name: waiting, reason: 'FetchFailed', message: /^git could not fetch from http:\S+: .+/ },
  },
];

describe('read', () => {
  for (const { status, headers = {}, body, credentials = {}, expected } of cases) {
    const login = credentials.password ? ' with credentials' : '';
    it(`answers ${expected.reason} when the server answers ${status} ${JSON.stringify(headers)}${login}`, async (t) => {
      const url = await listen(t, (request, response) => {
        response.writeHead(status, headers).end(body ?? `no: ${request.headers.authorization}`);
      });
      const source = await testSource(t);
      await assert.rejects(source.read({ url }, credentials), expected);
      assert.deepEqual(await leftovers(source), []);
    });
  }

  it('says the new URL of a repository that has moved, and sends nothing there', async (t) => {
    const seen: string[] = [];
    const target = await listen(t, (request, response) => {
      seen.push(request.url ?? '');
      response.end();
    });
    const url = await listen(t, (request, response) => {
      response
        .writeHead(301, { location: `${target.replace('app', 'new')}${request.url?.slice('/acme/app.git'.length)}` })
        .end();
    });
    const source = await testSource(t);
    const message = new RegExp(
      `^${url} has moved to ${target.replace('app', 'new')}\\. .*write the new URL in spec.repository$`,
    );
    await assert.rejects(source.read({ url }, login), { name: terminal, reason: 'Redirected', message });
    assert.deepEqual(seen, []);
  });

  const unreachable: readonly [string, string, RegExp][] = [
    ['nobody listens', 'http://127.0.0.1:1/a/b.git', /cannot be reached: .*(refused|connect)/i],
    ['the name is unknown', `http://${'a'.repeat(64)}.invalid/a/b.git`, /cannot be reached: .*resolve/i],
  ];
  for (const [because, url, message] of unreachable) {
    it(`answers RepositoryUnreachable when ${because}`, async (t) => {
      const source = await testSource(t);
      await assert.rejects(source.read({ url }, login), { name: waiting, reason: 'RepositoryUnreachable', message });
    });
  }

  it('answers RepositoryUnreachable when the other side does not speak TLS', async (t) => {
    const url = (await listen(t, (_, response) => response.end())).replace('http:', 'https:');
    const source = await testSource(t);
    await assert.rejects(source.read({ url }), { reason: 'RepositoryUnreachable', message: /TLS|SSL/ });
  });

  it("masks credentials that a server sends back in git's words", async (t) => {
    const url = await listen(t, (request, response) => {
      const text = `ERR sorry ${request.headers.authorization} ${login.password}\u001b[31m`;
      const line = `${(text.length + 4).toString(16).padStart(4, '0')}${text}`;
      response.writeHead(200, { 'content-type': advertisement }).end(line);
    });
    const source = await testSource(t);
    await assert.rejects(source.read({ url }, login), (error: Error & { reason: string }) => {
      assert.equal(error.reason, 'FetchFailed');
      assert.match(error.message, /remote error: sorry Basic \*\*\* \*\*\*/);
      assert.doesNotMatch(error.message, /canary|Y2FuYXJ5|\p{Cc}/u);
      return true;
    });
  });

  it('answers UnsafeObjects when the tree fails the checks of git', async (t) => {
    const { repository, read } = await testRepository(t, {}, { direct: false });
    const blob = await repository.git(['hash-object', '-w', '--stdin'], { input: 'x' });
    const entry = Buffer.concat([Buffer.from('100644 ..\0'), Buffer.from(blob, 'hex')]);
    const tree = await repository.git(['hash-object', '-t', 'tree', '-w', '--literally', '--stdin'], { input: entry });
    const commit = await repository.git(['commit-tree', tree, '-m', 'hostile']);
    await assert.rejects(read({ commit }), { name: terminal, reason: 'UnsafeObjects', message: /hasDotdot/ });
  });

  it('answers CommitNotFound for a commit that never was there', async (t) => {
    const { repository, read } = await testRepository(t);
    await repository.commit({ 'ci/job.yaml': 'x' });
    await assert.rejects(read({}), { name: terminal, reason: 'CommitNotFound' });
  });

  it('answers RepositoryNotFound for a repository that is not on a real server', async (t) => {
    const { server, read } = await testRepository(t);
    await assert.rejects(read({ url: `${server.url}/acme/other.git` }), { reason: 'RepositoryNotFound' });
  });
});
