import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { runGit } from './git-repository.ts';
import { type GitServerOptions, type ReceivedPush, startGitServer } from './git-server.ts';

async function setUp(t: TestContext, options: GitServerOptions = {}) {
  const server = await startGitServer(options);
  t.after(() => server.stop());
  const folder = await mkdtemp(join(tmpdir(), 'git-server-test-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return { server, folder, repository: await server.createRepository('acme/app') };
}

describe('git server', () => {
  it('serves a clone of what the repository helper wrote, with and without .git', async (t) => {
    const { repository, folder, server } = await setUp(t);
    const first = await repository.commit({ 'ci/job.yaml': 'a', link: { symlink: 'ci/job.yaml' } });
    const second = await repository.commit({ 'ci/job.yaml': 'b' }, { author: { name: 'Bob', email: 'b@x' } });
    await runGit(folder, ['clone', '--quiet', repository.url, 'one']);
    await runGit(folder, ['clone', '--quiet', repository.url.replace(/\.git$/, ''), 'two']);
    assert.equal(await readFile(join(folder, 'two/link'), 'utf8'), 'b');
    assert.equal(await runGit(join(folder, 'one'), ['log', '--format=%H %an']), `${second} Bob\n${first} Ada Test`);
    assert.equal(server.requests[0]?.gitProtocol, 'version=2');
    assert.equal(server.requests[0]?.status, 200);
    assert.ok((server.requests[0]?.bytes ?? 0) > 0);
  });

  it('takes real pushes, also large and chunked ones, and tells onPush what changed', async (t) => {
    const pushes: ReceivedPush[] = [];
    const told = Promise.withResolvers<void>();
    const onPush = (push: ReceivedPush) => {
      pushes.push(push);
      if (pushes.length === 3) told.resolve();
    };
    const { repository, folder } = await setUp(t, { onPush });
    await runGit(folder, ['clone', '--quiet', repository.url, 'work']);
    const work = join(folder, 'work');
    await writeFile(join(work, 'big'), randomBytes(3 * 1024 * 1024)); // over http.postBuffer: sent in chunks
    await runGit(work, ['add', '.']);
    await runGit(work, ['commit', '--quiet', '-m', 'big']);
    await runGit(work, ['push', '--quiet', 'origin', 'HEAD:main']);
    const id = await runGit(work, ['rev-parse', 'HEAD']);
    await runGit(work, ['push', '--quiet', 'origin', ':main', 'HEAD:refs/tags/v1']);
    await told.promise;
    const zero = '0'.repeat(40);
    const name = 'acme/app';
    assert.deepEqual(pushes, [
      { repository: name, ref: 'refs/heads/main', before: zero, after: id },
      { repository: name, ref: 'refs/heads/main', before: id, after: zero },
      { repository: name, ref: 'refs/tags/v1', before: zero, after: id },
    ]);
  });

  it('answers 401 without the password and serves with it', async (t) => {
    const { repository, folder, server } = await setUp(t, { credentials: { username: 'ada', password: 'pw' } });
    await repository.commit({ a: 'b' });
    await assert.rejects(runGit(folder, ['ls-remote', repository.url]), /could not read Username/);
    const url = repository.url.replace('://', '://ada:pw@');
    assert.match(await runGit(folder, ['ls-remote', url]), /refs\/heads\/main/);
    assert.deepEqual([server.requests[0]?.status, server.requests[0]?.authorization], [401, false]);
    assert.equal(server.requests.at(-1)?.authorization, true);
  });

  for (const [like, works] of [
    ['github', true],
    ['old', false],
  ] as const) {
    it(`${works ? 'serves' : 'does not serve'} an unadvertised commit by id when like ${like}`, async (t) => {
      const { repository, folder } = await setUp(t, { like });
      const gone = await repository.commit({ a: '1' });
      await repository.commit({ a: '2' }, { branch: 'other' });
      await repository.deleteBranch('main');
      await runGit(folder, ['init', '--quiet']);
      const fetched = runGit(folder, ['fetch', '--quiet', '--depth=1', '--filter=blob:none', repository.url, gone]);
      if (works) await fetched;
      else await assert.rejects(fetched, /unadvertised object/);
    });
  }

  it('makes light and annotated tags, and moves and removes branches', async (t) => {
    const { repository } = await setUp(t);
    const first = await repository.commit({ a: '1' });
    await repository.commit({ a: '2', b: '3' });
    await repository.commit({ b: null, sub: { submodule: first } });
    assert.match(await repository.git(['ls-tree', 'main']), /^100644 blob \w+\ta\n160000 commit \w+\tsub$/);
    assert.equal(await repository.tag('light', first), first);
    const annotated = await repository.tag('v1', first, 'one');
    assert.notEqual(annotated, first);
    assert.equal(await repository.git(['rev-parse', 'v1^{commit}']), first);
    await repository.forcePush('main', first);
    assert.equal(await repository.ref('refs/heads/main'), first);
    await repository.deleteBranch('main');
    assert.equal(await repository.ref('refs/heads/main'), undefined);
  });
});
