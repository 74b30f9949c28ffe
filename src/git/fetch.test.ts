import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { rename } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { leftovers, testRepository, until } from '../../test/env/git-fixture.ts';

const path = 'ci/job.yaml';

for (const direct of [true, false]) {
  describe(direct ? 'read, object by object' : 'read, with the git program', () => {
    it('gives the file as it was at the pushed commit when the branch has moved on', async (t) => {
      const fixture = await testRepository(t, {}, { direct });
      const pushed = await fixture.repository.commit({ [path]: 'pushed: ä€😀\r\n' });
      await fixture.repository.commit({ [path]: 'later' });
      assert.equal(await fixture.read({ commit: pushed }), 'pushed: ä€😀\r\n');
      assert.deepEqual(await leftovers(fixture), []);
    });

    it('gives the file when the branch is deleted, and when it was force-pushed', async (t) => {
      const { repository, read } = await testRepository(t, {}, { direct });
      const first = await repository.commit({ [path]: 'first' });
      const second = await repository.commit({ [path]: 'second' });
      await repository.forcePush('main', first);
      assert.equal(await read({ commit: second }), 'second');
      await repository.deleteBranch('main');
      assert.equal(await read({ commit: second }), 'second');
    });

    it('gives the file of a tag and of its annotated tag object', async (t) => {
      const { repository, read } = await testRepository(t, {}, { direct });
      const commit = await repository.commit({ [path]: 'tagged' });
      const tag = await repository.tag('v1', commit, 'one');
      assert.equal(await read({ commit, ref: 'refs/tags/v1' }), 'tagged');
      assert.equal(await read({ commit: tag, ref: 'refs/tags/v1' }), 'tagged');
    });

    const paths = [
      'job.yaml',
      './job.yaml',
      '/job.yaml',
      'a/b/c d/é.yaml',
      './a//b/./c d/é.yaml',
      'run.sh',
      '*.yaml',
      '-c',
      ':(top)x',
    ];
    for (const written of paths) {
      it(`finds ${written}`, async (t) => {
        const { repository, read } = await testRepository(t, {}, { direct });
        const clean = written
          .replace(/^\.?\//, '')
          .replace('//', '/')
          .replace('/./', '/');
        const content = `content of ${clean}`;
        const commit = await repository.commit({
          [clean]: clean === 'run.sh' ? { executable: content } : content,
          'other.yaml': 'other',
        });
        assert.equal(await read({ commit, path: written }), content);
      });
    }

    it('gives an empty file', async (t) => {
      const { repository, read } = await testRepository(t, {}, { direct });
      assert.equal(await read({ commit: await repository.commit({ [path]: '' }) }), '');
    });

    it('fetches a few kilobytes of a repository of 30 MB', async (t) => {
      const { repository, read, server } = await testRepository(t, {}, { direct });
      const folder = Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`data/${n}`, randomBytes(1024 * 1024)]));
      const commit = await repository.commit({ ...folder, [path]: 'small' });
      assert.equal(await read({ commit }), 'small');
      const bytes = server.requests.reduce((sum, request) => sum + request.bytes, 0);
      assert.ok(bytes > 0 && bytes < 20_000, `${bytes} bytes`);
    });

    it('reads a repository with submodules and attributes, and touches neither', async (t) => {
      const { repository, read, server } = await testRepository(t, {}, { direct });
      const first = await repository.commit({ a: 'a' });
      const modules = `[submodule "x"]\n\tpath = x\n\turl = ${repository.url}\n`;
      const files = {
        [path]: 'text',
        x: { submodule: first },
        '.gitmodules': modules,
        '.gitattributes': '* filter=lfs',
      };
      assert.equal(await read({ commit: await repository.commit(files) }), 'text');
      assert.ok(server.requests.length <= 6, 'nothing of the submodule was fetched');
    });

    it('reads a repository with SHA-256 object ids', async (t) => {
      const { server, read } = await testRepository(t, {}, { direct });
      const repository = await server.createRepository('acme/sha256', 'sha256');
      const commit = await repository.commit({ [path]: 'long ids' });
      assert.equal(commit.length, 64);
      await repository.commit({ [path]: 'later' });
      assert.equal(await read({ url: repository.url, commit }), 'long ids');
    });

    it('serves many reads at once, no more than the limit at a time', async (t) => {
      let [now, most] = [0, 0];
      const inTurn = Promise.withResolvers<void>();
      const onRequest = async (): Promise<void> => {
        most = Math.max(most, ++now);
        if (now === 3) setTimeout(inTurn.resolve, 100); // a fourth would come meanwhile
        await inTurn.promise;
        now--;
      };
      const server: { onRequest?: () => Promise<void> } = {};
      const { repository, read, ...fixture } = await testRepository(
        t,
        { onRequest: () => server.onRequest?.() },
        { direct, limits: { concurrentReads: 3 } },
      );
      const commits = [];
      for (let n = 0; n < 6; n += 1) commits.push(await repository.commit({ [path]: `text ${n}` }));
      server.onRequest = onRequest;
      const texts = await Promise.all(commits.map((commit) => read({ commit })));
      assert.deepEqual(
        texts,
        commits.map((_, n) => `text ${n}`),
      );
      assert.equal(most, 3);
      assert.deepEqual(await leftovers({ read, ...fixture }), []);
    });
  });
}

describe('read from an old server, without filters and commits by id', () => {
  it('gives the file at the tip of the branch', async (t) => {
    const { repository, read, lines } = await testRepository(t, { like: 'old' });
    await repository.commit({ [path]: 'first' });
    assert.equal(await read({ commit: await repository.commit({ [path]: 'second' }) }), 'second');
    const asked = lines.length;
    assert.equal(await read({ commit: await repository.commit({ [path]: 'third' }) }), 'third');
    assert.equal(lines.length, asked, 'it is known now which way works');
  });

  it('gives the file of a commit the branch has left behind', async (t) => {
    const { repository, read, lines } = await testRepository(t, { like: 'old' });
    const first = await repository.commit({ [path]: 'first' });
    for (let n = 0; n < 4; n += 1) await repository.commit({ [path]: `later ${n}` });
    assert.equal(await read({ commit: first }), 'first');
    assert.match(lines.join(), /does not serve the commit this way/);
  });

  const gone = [
    { because: 'the ref is deleted', commits: 1, remove: true },
    { because: 'the ref has moved on too far', commits: 5, remove: false },
  ];
  for (const { because, commits, remove } of gone) {
    it(`says that the commit is not to be had when ${because}`, async (t) => {
      const { repository, read } = await testRepository(t, { like: 'old' }, { limits: { refDepth: 3 } });
      const first = await repository.commit({ [path]: 'first' });
      for (let n = 0; n < commits; n += 1) await repository.commit({ [path]: `later ${n}` });
      if (remove) await repository.deleteBranch('main');
      await assert.rejects(read({ commit: first }), {
        name: 'TerminalError',
        reason: 'CommitNotFound',
        message: new RegExp(`commit ${first} is not to be had from ${repository.url}.*refs/heads/main`),
      });
    });
  }

  it('never gives the file of another commit when the branch was force-pushed', async (t) => {
    const { repository, read } = await testRepository(t, { like: 'old' });
    const base = await repository.commit({ [path]: 'base' });
    const lost = await repository.commit({ [path]: 'lost' });
    await repository.forcePush('main', base);
    await repository.commit({ [path]: 'won' });
    await assert.rejects(read({ commit: lost }), { reason: 'CommitNotFound' });
  });
});

describe('read of a commit that is not there yet', () => {
  it('looks again before it gives up', async (t) => {
    const { repository, read, lines } = await testRepository(t, {}, { limits: { notFoundRetriesMs: [1000] } });
    const first = await repository.commit({ [path]: 'first' });
    const late = await repository.git(['commit-tree', `${first}^{tree}`, '-m', 'late']);
    const object = `${repository.path}/objects/${late.slice(0, 2)}/${late.slice(2)}`;
    await rename(object, `${repository.path}/kept`);
    const text = read({ commit: late });
    await until(() => lines.length === 4); // each way was refused once
    await rename(`${repository.path}/kept`, object);
    assert.equal(await text, 'first');
  });
});
