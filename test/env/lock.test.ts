// The lock between programs: one at a time, and a dead holder does not block.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { withLock } from './lock.ts';

async function folderFor(t: { after(fn: () => unknown): void }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'kube-git-lock-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

describe('withLock', () => {
  it('lets the second in only after the first has ended, even badly', async (t) => {
    const path = join(await folderFor(t), 'lock');
    const order: string[] = [];
    const first = withLock(path, async () => {
      order.push('first begins');
      await new Promise((resolve) => setTimeout(resolve, 20));
      order.push('first ends');
      throw new Error('build failed');
    });
    const second = withLock(path, async () => void order.push('second begins'));
    await assert.rejects(first, /build failed/);
    await second;
    assert.deepEqual(order, ['first begins', 'first ends', 'second begins']);
  });

  const left: { name: string; content: () => string }[] = [
    { name: 'of a process that is gone', content: () => String(spawnSync('true').pid) },
    { name: 'that is empty', content: () => '' },
    { name: 'that holds no number', content: () => 'x' },
  ];
  for (const { name, content } of left) {
    it(`takes over a lock file ${name}, and leaves none`, async (t) => {
      const folder = await folderFor(t);
      await writeFile(join(folder, 'lock'), content());
      assert.equal(await withLock(join(folder, 'lock'), async () => 'worked'), 'worked');
      assert.deepEqual(await readdir(folder), []);
    });
  }
});
