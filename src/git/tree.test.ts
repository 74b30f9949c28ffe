import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { leftovers, testRepository } from '../../test/env/git-fixture.ts';
import type { Entry } from '../../test/env/git-server.ts';

const other = '1111111111111111111111111111111111111111';

interface Case {
  readonly there: string;
  readonly files: Readonly<Record<string, Entry>>;
  readonly path?: string;
  readonly reason: string;
  readonly message: RegExp;
}

const cases: readonly Case[] = [
  {
    there: 'a symbolic link to a file outside',
    files: { 'ci/job.yaml': { symlink: '/etc/passwd' } },
    reason: 'Symlink',
    message: /"ci\/job.yaml" at commit [0-9a-f]{12} is a symbolic link, .*commit the file itself there/,
  },
  {
    there: 'a symbolic link to a file of the repository',
    files: { 'ci/job.yaml': { symlink: 'real.yaml' }, 'ci/real.yaml': 'real' },
    reason: 'Symlink',
    message: /write the path it points to in spec.manifest/,
  },
  {
    there: 'a symbolic link to itself',
    files: { 'ci/job.yaml': { symlink: 'job.yaml' } },
    reason: 'Symlink',
    message: /does not follow links/,
  },
  {
    there: 'below a symbolic link to a folder',
    files: { ci: { symlink: 'real' }, 'real/job.yaml': 'real' },
    reason: 'Symlink',
    message: /"ci" at commit [0-9a-f]{12} is a symbolic link, .*write the real path of the manifest/,
  },
  {
    there: 'below a symbolic link deeper down',
    files: { 'a/b': { symlink: '/etc' }, 'a/c': 'c' },
    path: 'a/b/passwd',
    reason: 'Symlink',
    message: /"a\/b" at commit/,
  },
  {
    there: 'a submodule',
    files: { 'ci/job.yaml': { submodule: other } },
    reason: 'NotAFile',
    message: /is a submodule/,
  },
  {
    there: 'in a submodule',
    files: { ci: { submodule: other } },
    reason: 'NotAFile',
    message: /"ci" at .* is a submodule/,
  },
  {
    there: 'a folder',
    files: { 'ci/job.yaml/x': 'x' },
    reason: 'NotAFile',
    message: /"ci\/job.yaml" at .* is a folder: write the path of the manifest in it/,
  },
  {
    there: 'below a file',
    files: { ci: 'a file' },
    reason: 'ManifestNotFound',
    message: /there is no "ci\/job.yaml": "ci" at .* is a file, not a folder/,
  },
  {
    there: 'not there',
    files: { 'ci/other.yaml': 'x' },
    reason: 'ManifestNotFound',
    message:
      /^there is no "ci\/job.yaml" at commit [0-9a-f]{12} of http:\S+\. Commit the file, or correct spec.manifest$/,
  },
  {
    there: 'not there, and its folder neither',
    files: { x: 'x' },
    path: 'a/b/c.yaml',
    reason: 'ManifestNotFound',
    message: /there is no "a\/b\/c.yaml"/,
  },
  {
    there: 'there as .yml',
    files: { 'ci/job.yml': 'x' },
    reason: 'ManifestNotFound',
    message: /There is "job.yml" in "ci"\./,
  },
  {
    there: 'there as .yaml, and asked for as .yml',
    files: { 'job.yaml': 'x' },
    path: 'job.yml',
    reason: 'ManifestNotFound',
    message: /There is "job.yaml"\. Commit/,
  },
  {
    there: 'there in another case',
    files: { 'ci/Job.YAML': 'x' },
    reason: 'ManifestNotFound',
    message: /There is "Job.YAML" in "ci"\./,
  },
  {
    there: 'in a folder of another case',
    files: { 'CI/job.yaml': 'x' },
    reason: 'ManifestNotFound',
    message: /There is "CI"\./,
  },
  {
    there: 'not UTF-8',
    files: { 'ci/job.yaml': Buffer.from('name: M\xfcller', 'latin1') },
    reason: 'NotText',
    message: /ci\/job.yaml at commit [0-9a-f]{12} is no UTF-8 text/,
  },
  { there: 'text with a NUL', files: { 'ci/job.yaml': 'a\0b' }, reason: 'NotText', message: /no UTF-8 text/ },
  {
    there: '600 KiB long',
    files: { 'ci/job.yaml': '#'.repeat(600 * 1024) },
    reason: 'ManifestTooLarge',
    message: /ci\/job.yaml at commit [0-9a-f]{12} is larger than 512 KiB/,
  },
];

describe('read', () => {
  for (const { there, files, path, reason, message } of cases) {
    it(`answers ${reason} when the manifest is ${there}`, async (t) => {
      const fixture = await testRepository(t);
      const commit = await fixture.repository.commit(files);
      const reading = fixture.read({ commit, path: path ?? 'ci/job.yaml' });
      await assert.rejects(reading, { name: 'TerminalError', reason, message });
      assert.deepEqual(await leftovers(fixture), []);
    });
  }

  it('answers NotAFile with the same words from a server without filters', async (t) => {
    const { repository, read } = await testRepository(t, { like: 'old' });
    const commit = await repository.commit({ 'ci/job.yaml/x': 'x' });
    await assert.rejects(read({ commit }), { reason: 'NotAFile' });
  });

  it('answers CommitNotFound when the id is that of a blob', async (t) => {
    const { repository, read } = await testRepository(t);
    await repository.commit({ a: 'content' });
    const commit = await repository.git(['rev-parse', 'main:a']);
    await assert.rejects(read({ commit }), { reason: 'CommitNotFound', message: /is no commit with files/ });
  });

  it('gives a file of just the largest size', async (t) => {
    const { repository, read } = await testRepository(t);
    const text = 'é'.repeat(256 * 1024);
    assert.equal(await read({ commit: await repository.commit({ 'ci/job.yaml': text }) }), text);
  });
});
