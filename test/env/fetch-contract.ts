// What a read gives, whatever server it is and whichever way worked: the same tests for every rung of the ladder.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import type { FileAtCommit } from '../../src/git/git.ts';
import { leftovers, type SourceFixture } from './git-fixture.ts';
import type { Repository } from './git-repository.ts';

export interface Rung extends SourceFixture {
  /** Written to here; its `url` is not used. */
  readonly repository: Repository;
  /** Brings main of `repository` to the server, by force. Undefined where it lies there. */
  readonly push?: () => Promise<void>;
  readonly url: string;
  /** That of a repository that is not there. */
  readonly missingUrl: string;
  /** Reads from `url` with credentials that work, unless told otherwise. */
  read(file: Partial<FileAtCommit>): Promise<string>;
}

export interface RungOptions {
  readonly skip?: string | false;
  /** The ways the server refuses, in their order; the next one is the one that works. */
  readonly refused: readonly string[];
  open(t: TestContext): Promise<Rung>;
}

const tooLarge = 600 * 1024;

/** The tests of one rung. */
export function testRung(name: string, { skip = false, refused, open }: RungOptions): void {
  describe(`a read from ${name}`, { skip }, () => {
    it('gives the files of the pushed commit, when the branch has moved on', async (t) => {
      const rung = await open(t);
      const files = { 'ci/job.yaml': 'pushed: ä€😀\r\n', 'a/b/c/d/e/f.yaml': 'deep', empty: '' };
      const first = await commit(rung, { ...files, 'run.sh': { executable: 'runs' } });
      await commit(rung, { 'ci/job.yaml': 'later' });
      const read = (path: string) => rung.read({ commit: first, path });
      assert.equal(await read('ci/job.yaml'), files['ci/job.yaml']);
      assert.deepEqual(waysOf(rung), refused);
      const rest = ['a/b/c/d/e/f.yaml', 'empty', 'run.sh'];
      assert.deepEqual(await Promise.all(rest.map(read)), ['deep', '', 'runs']);
      assert.deepEqual(waysOf(rung), refused, 'it is known now which way works');
      assert.deepEqual(await leftovers(rung), []);
    });

    it('gives the file of the pushed commit with all that were pushed at once', async (t) => {
      const rung = await open(t);
      const texts = Array.from({ length: 6 }, (_, n) => `text ${n}`);
      const commits: string[] = [];
      for (const text of texts) commits.push(await commit(rung, { 'ci/job.yaml': text }));
      assert.deepEqual(await Promise.all(commits.map((one) => rung.read({ commit: one }))), texts);
      assert.deepEqual(await leftovers(rung), []);
    });

    it('says what is there instead', async (t) => {
      const rung = await open(t);
      const id = await commit(rung, {
        'ci/job.yml': 'x',
        link: { symlink: 'ci' },
        'ci/large.yaml': randomBytes(tooLarge),
        'ci/binary.yaml': Buffer.from([0, 159, 146, 150]),
      });
      const cases: readonly (readonly [string, string, RegExp])[] = [
        ['ci/job.yaml', 'ManifestNotFound', /There is "job\.yml" in "ci"/],
        ['link/job.yml', 'Symlink', /"link" at commit/],
        ['ci', 'NotAFile', /is a folder/],
        ['ci/large.yaml', 'ManifestTooLarge', /512 KiB/],
        ['ci/binary.yaml', 'NotText', /./],
      ];
      for (const [path, reason, message] of cases) {
        await assert.rejects(rung.read({ commit: id, path }), { reason, message }, path);
      }
      assert.deepEqual(await leftovers(rung), []);
    });

    it('says that a commit or a repository is not there', async (t) => {
      const rung = await open(t);
      const id = await commit(rung, { 'ci/job.yaml': 'x' });
      const none = id.replaceAll(/./g, 'c');
      await assert.rejects(rung.read({ commit: none }), { reason: 'CommitNotFound' });
      await assert.rejects(rung.read({ commit: id, url: rung.missingUrl }), { reason: 'RepositoryNotFound' });
      assert.equal(await rung.read({ commit: id }), 'x');
    });
  });
}

async function commit({ repository, push }: Rung, files: Parameters<Repository['commit']>[0]): Promise<string> {
  const id = await repository.commit(files);
  await push?.();
  return id;
}

/** Those that the log says were refused. */
function waysOf({ lines }: Rung): string[] {
  const refusals = lines.filter((line) => line.includes('does not serve the commit this way'));
  return refusals.map((line) => /"way":"([^"]*)"/.exec(line)?.[1] ?? '');
}
