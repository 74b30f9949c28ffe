import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type GitServer, type GitServerOptions, startGitServer } from '../../test/env/git-server.ts';
import type { Log } from '../log.ts';
import type { RefSource } from './git.ts';
import type { FetchLimits } from './limits.ts';
import { createRefSource, parseList } from './refs.ts';

const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} } as unknown as Log;
const { signal } = new AbortController();

async function start(
  t: TestContext,
  { limits = {}, ...options }: GitServerOptions & { readonly limits?: Partial<FetchLimits> } = {},
): Promise<{ server: GitServer; source: RefSource; leftovers(): string[] }> {
  const server = await startGitServer(options);
  const directory = await mkdtemp(join(tmpdir(), 'kube-git-refs-test-'));
  t.after(() => Promise.all([server.stop(), rm(directory, { recursive: true, force: true })]));
  const environment = { PATH: process.env['PATH'] };
  const source = createRefSource({ directory, environment, allowInsecureCredentials: true, limits, log });
  return { server, source, leftovers: () => readdirSync(directory) };
}

for (const like of ['github', 'old'] as const) {
  describe(`list, of a server like ${like}`, () => {
    it('gives branches and tags with what they point at, and nothing else', async (t) => {
      const { server, source, leftovers } = await start(t, { like });
      const repository = await server.createRepository('acme/app');
      const main = await repository.commit({ a: '1' });
      const other = await repository.commit({ a: '2' }, { branch: 'feature/ä' });
      await repository.tag('light', main);
      const annotated = await repository.tag('annotated', other, 'words');
      await repository.git(['update-ref', 'refs/pull/1/head', main]);
      const { refs } = await source.list(repository.url, {}, signal);
      assert.deepEqual(Object.fromEntries(refs), {
        'refs/heads/main': { id: main, peeled: main },
        'refs/heads/feature/ä': { id: other, peeled: other },
        'refs/tags/light': { id: main, peeled: main },
        'refs/tags/annotated': { id: annotated, peeled: other },
      });
      assert.deepEqual(leftovers(), []);
    });
  });
}

describe('list', () => {
  it('gives nothing of an empty repository', async (t) => {
    const { server, source } = await start(t);
    const { url } = await server.createRepository('acme/app');
    assert.equal((await source.list(url, {}, signal)).refs.size, 0);
  });

  it('gives the ids of a SHA-256 repository', async (t) => {
    const { server, source } = await start(t);
    const repository = await server.createRepository('acme/app', 'sha256');
    const id = await repository.commit({ a: '1' }, { message: 'long ids' });
    assert.equal((await source.list(repository.url, {}, signal)).refs.get('refs/heads/main')?.id, id);
    assert.deepEqual(await source.describe({ url: repository.url, id }, {}, signal), {
      author: 'Ada Test',
      message: 'long ids',
    });
  });

  it('refuses more refs than it may list, by their number and by their bytes', async (t) => {
    for (const limits of [{ listedRefs: 1 }, { listBytes: 60 }]) {
      const { server, source, leftovers } = await start(t, { limits });
      const repository = await server.createRepository('acme/app');
      await repository.tag('v1', await repository.commit({ a: '1' }));
      await assert.rejects(() => source.list(repository.url, {}, signal), { reason: 'TooManyRefs' });
      assert.deepEqual(leftovers(), []);
    }
  });

  it('says why a server refuses, as a fetch does', async (t) => {
    const credentials = { username: 'ada', password: 'of-the-refs-test' };
    const { server, source } = await start(t, { credentials });
    const { url } = await server.createRepository('acme/app');
    await assert.rejects(() => source.list(url, {}, signal), { reason: 'AuthenticationFailed' });
    assert.equal((await source.list(url, credentials, signal)).refs.size, 0);
    const elsewhere = url.replace('app', 'other');
    await assert.rejects(() => source.list(elsewhere, credentials, signal), { reason: 'RepositoryNotFound' });
    await assert.rejects(() => source.list('--upload-pack=x', {}, signal), { reason: 'InvalidRepository' });
  });

  it('takes a new list for each question, one after another where it has one turn', async (t) => {
    const { server, source } = await start(t, { limits: { concurrentLists: 1 } });
    const { url } = await server.createRepository('acme/app');
    const lists = await Promise.all([1, 2, 3].map(() => source.list(url, {}, signal)));
    assert.equal(lists.length, 3);
  });
});

describe('parseList', () => {
  const id = 'a'.repeat(40);
  for (const line of [
    `${id}\tHEAD`,
    `${id}\trefs/pull/1/head`,
    `${id}\trefs/heads/a..b`,
    'x\trefs/heads/main',
    `${id}`,
  ]) {
    it(`leaves out ${JSON.stringify(line)}`, () => {
      assert.equal(parseList(`${line}\n${id}\trefs/heads/there\n`).size, 1);
    });
  }
});

describe('defaultBranch', () => {
  it('is what HEAD of the server points at', async (t) => {
    const { server, source } = await start(t);
    const repository = await server.createRepository('acme/app');
    assert.equal(await source.defaultBranch(repository.url, {}, signal), undefined);
    await repository.commit({ a: '1' }, { branch: 'trunk' });
    await repository.git(['symbolic-ref', 'HEAD', 'refs/heads/trunk']);
    assert.equal(await source.defaultBranch(repository.url, {}, signal), 'refs/heads/trunk');
  });
});

describe('describe', () => {
  it('gives the author and the first line of the message, and brings no files', async (t) => {
    const { server, source } = await start(t);
    const repository = await server.createRepository('acme/app');
    const author = { name: 'Grace Ö. Hopper', email: 'grace@example.com' };
    const large = 'x'.repeat(200_000);
    const id = await repository.commit(
      { large: `${large}${Math.random()}` },
      { message: 'first: ä\nsecond\n\nthird', author },
    );
    const before = server.requests.reduce((sum, { bytes }) => sum + bytes, 0);
    assert.deepEqual(await source.describe({ url: repository.url, id }, {}, signal), {
      author: author.name,
      message: 'first: ä',
    });
    const bytes = server.requests.reduce((sum, one) => sum + one.bytes, 0) - before;
    assert.ok(bytes > 0 && bytes < 5_000, `${bytes} bytes`);
  });

  it('gives nothing of what is no commit, and empty words where the server does not serve by id', async (t) => {
    const { server, source } = await start(t);
    const repository = await server.createRepository('acme/app');
    const blob = await repository.git(['hash-object', '-w', '--stdin'], { input: 'no commit' });
    await repository.git(['update-ref', 'refs/tags/blob', blob]);
    assert.equal(await source.describe({ url: repository.url, id: blob }, {}, signal), undefined);
    const unknown = '1'.repeat(40);
    const words = { author: '', message: '' };
    assert.deepEqual(await source.describe({ url: repository.url, id: unknown }, {}, signal), words);
  });
});
