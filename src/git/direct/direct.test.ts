import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { processesOf, testRepository, testSource } from '../../../test/env/git-fixture.ts';

const path = 'a/b/job.yaml';

describe('a read object by object', () => {
  it('takes one request for the commit, each folder and the file, and no process', async (t) => {
    const seen: number[] = [];
    const fixture = await testRepository(t, { onRequest: () => void seen.push(processesOf(fixture).length) });
    const commit = await fixture.repository.commit({ [path]: 'text', 'a/other': 'x', 'c/d/e': 'y' });
    assert.equal(await fixture.read({ commit, path }), 'text');
    assert.deepEqual(
      fixture.server.requests.map(({ method, path: asked, gitProtocol }) => [method, asked, gitProtocol]),
      Array.from({ length: 5 }, () => ['POST', '/acme/app.git/git-upload-pack', 'version=2']),
    );
    assert.deepEqual(seen, [0, 0, 0, 0, 0]);
  });

  it('asks again for the commit only, where nothing on the way to the file has changed', async (t) => {
    const { repository, server, read } = await testRepository(t);
    const first = await repository.commit({ 'job.yaml': 'text' });
    const second = await repository.git(['commit-tree', `${first}^{tree}`, '-p', first, '-m', 'same files']);
    await repository.git(['update-ref', 'refs/heads/main', second]);
    assert.equal(await read({ commit: first, path: 'job.yaml' }), 'text');
    const before = server.requests.length;
    assert.equal(await read({ commit: second, path: 'job.yaml' }), 'text');
    assert.equal(server.requests.length, before + 1);
    assert.equal(await read({ commit: second, path: 'job.yaml' }), 'text');
    assert.equal(server.requests.length, before + 1, 'two GitHooks, one push, one request');
  });

  it('asks once for the GitHooks of one push that are at it together', async (t) => {
    const { repository, server, read } = await testRepository(t);
    const commit = await repository.commit({ [path]: 'text' });
    const texts = await Promise.all(Array.from({ length: 6 }, () => read({ commit, path })));
    assert.deepEqual([...new Set(texts)], ['text']);
    assert.equal(server.requests.length, 5);
  });

  it('shares what it has read with nobody who has other credentials, or another repository', async (t) => {
    const credentials = { username: 'ada', password: 'secret' };
    const { repository, server, read } = await testRepository(t, { credentials });
    const commit = await repository.commit({ 'job.yaml': 'private' });
    assert.equal(await read({ commit, path: 'job.yaml' }, credentials), 'private');
    for (const others of [{}, { ...credentials, password: 'guessed' }, { password: 'secret' }]) {
      await assert.rejects(read({ commit, path: 'job.yaml' }, others), { reason: 'AuthenticationFailed' });
    }
    const other = await server.createRepository('acme/other');
    await other.commit({ README: 'x' });
    await assert.rejects(read({ url: other.url, commit, path: 'job.yaml' }, credentials), { reason: 'CommitNotFound' });
  });

  it('says what is there instead, as the git program does', async (t) => {
    const { repository } = await testRepository(t);
    const files = { 'ci/job.yml': 'x', file: 'x', link: { symlink: 'ci' }, run: { symlink: 'file' } };
    const commit = await repository.commit(files);
    const said = async (direct: boolean, asked: string): Promise<string> => {
      const source = await testSource(t, { direct });
      const failed = await source.read({ url: repository.url, commit, path: asked }).catch((error: Error) => error);
      assert.ok(failed instanceof Error);
      return failed.message;
    };
    for (const asked of ['ci/job.yaml', 'ci', 'file/x', 'link/job.yml', 'run', 'CI/job.yml', 'none/at/all']) {
      assert.equal(await said(true, asked), await said(false, asked), asked);
    }
  });

  it('gives another object than the one that was asked for to nobody', async (t) => {
    const { repository, server, read } = await testRepository(t);
    const [good, bad] = [
      await repository.commit({ 'job.yaml': 'good' }),
      await repository.commit({ 'job.yaml': 'bad' }),
    ];
    // A server that answers the question for one commit with the other one.
    const url = await listen(t, (request, response) =>
      pass(request, response, server.url, (body) => body.replaceAll(good, bad)),
    );
    await assert.rejects(read({ url: `${url}/acme/app.git`, commit: good, path: 'job.yaml' }));
  });

  it('leaves a server that says nothing, at once on abort', async (t) => {
    const source = await testSource(t);
    const asked = Promise.withResolvers<void>();
    const url = await listen(t, () => asked.resolve());
    const abort = new AbortController();
    const reading = source.read({ url: `${url}/a/b.git` }, {}, abort.signal);
    await asked.promise;
    abort.abort(new Error('the run was deleted'));
    await assert.rejects(reading, { message: 'the run was deleted' });
  });

  it('leaves a server that sends next to nothing, after its time', async (t) => {
    const source = await testSource(t, { limits: { silentSeconds: 1 } });
    const url = await listen(t, (_, response) => {
      response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-result' });
      const timer = setInterval(() => response.write('0'), 50);
      response.on('close', () => clearInterval(timer));
    });
    await assert.rejects(source.read({ url: `${url}/a/b.git` }), {
      name: 'WaitingError',
      reason: 'RepositoryTooSlow',
      message: /answers too slowly/,
    });
  });

  it('asks once more where a kept connection was closed meanwhile', async (t) => {
    let closing = false;
    const { repository, server, read } = await testRepository(t);
    const url = await listen(t, async (request, response) => {
      if (closing) {
        closing = false;
        request.socket.destroy();
        return;
      }
      await pass(request, response, server.url);
    });
    const ask = async (content: string) =>
      read({ url: `${url}/acme/app.git`, commit: await repository.commit({ 'job.yaml': content }), path: 'job.yaml' });
    assert.equal(await ask('first'), 'first');
    closing = true;
    assert.equal(await ask('second'), 'second');
    assert.ok(
      server.requests.every(({ path: asked }) => asked.endsWith('/git-upload-pack')),
      'git was not needed',
    );
  });

  it('is tried again for the next push where only a connection broke, and git had to be run', async (t) => {
    let breaking = true;
    const { repository, server, read } = await testRepository(t);
    const url = await listen(t, (request, response) => {
      if (!breaking || request.method === 'GET') return pass(request, response, server.url);
      breaking = false;
      request.socket.destroy();
      return undefined;
    });
    let seen = 0;
    const methods = (): readonly string[] => {
      const fresh = server.requests.slice(seen).map(({ method }) => method);
      seen += fresh.length;
      return fresh;
    };
    const ask = async (content: string) =>
      read({ url: `${url}/acme/app.git`, commit: await repository.commit({ 'job.yaml': content }), path: 'job.yaml' });
    assert.equal(await ask('first'), 'first');
    assert.ok(methods().includes('GET'), 'git was run');
    assert.equal(await ask('second'), 'second');
    assert.ok(!methods().includes('GET'), 'git was not run');
  });
});

/** Hands a request on to a real server, its body changed, and the answer back. */
async function pass(
  request: IncomingMessage,
  response: ServerResponse,
  to: string,
  change = (body: string): string => body,
): Promise<void> {
  const { 'content-type': type = '', 'git-protocol': protocol = '' } = request.headers;
  const answer = await fetch(`${to}${request.url}`, {
    method: request.method ?? '',
    headers: { 'content-type': type, 'git-protocol': `${protocol}` },
    ...(request.method === 'POST' && { body: change(await text(request)) }),
  });
  response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
  response.end(Buffer.from(await answer.arrayBuffer()));
}

async function listen(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer((request, response) => void listener(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
