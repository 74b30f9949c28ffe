import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openWorkspace } from './workspace.ts';

async function parent(t: { after(fn: () => unknown): void }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'workspace-test-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** The id of a process that has just ended. */
const goneId = (): number => spawnSync('true').pid;

describe('openWorkspace', () => {
  it('makes a folder that nobody else may read, and removes it with its content', async (t) => {
    const { directory, close } = await openWorkspace(await parent(t));
    await mkdir(join(directory, 'a/b'), { recursive: true });
    await close();
    assert.equal(existsSync(directory), false);
  });

  it('removes what killed processes left, and its own from an earlier life', async (t) => {
    const folder = await parent(t);
    const left = [`kube-git-${goneId()}-abcdef`, `kube-git-${process.pid}-abcdef`].map((name) => join(folder, name));
    for (const name of left) await mkdir(join(name, 'x'), { recursive: true });
    await openWorkspace(folder);
    assert.deepEqual(left.map(existsSync), [false, false]);
  });

  it('leaves alone what a living process uses, and what is not a folder of this kind', async (t) => {
    const folder = await parent(t);
    const target = join(folder, 'target');
    await mkdir(target);
    const used = join(folder, `kube-git-${process.ppid}-abcdef`);
    const link = join(folder, `kube-git-${goneId()}-ghijkl`);
    const other = join(folder, 'kube-git-test-abcdef');
    await mkdir(used);
    await symlink(target, link);
    await writeFile(other, '');
    await openWorkspace(folder);
    assert.deepEqual([used, target, link, other].map(existsSync), [true, true, true, true]);
  });
});
