import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { waitFor } from '../../test/env/wait.ts';
import { Cleanup, createFolder } from './cleanup.ts';

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

describe('demo cleanup', () => {
  it('undoes everything in reverse order and names what failed', async () => {
    const cleanup = new Cleanup();
    const undone: string[] = [];
    cleanup.add('stop one', () => undone.push('one'));
    cleanup.add('stop two', () => Promise.reject(new Error('it is stuck')));
    cleanup.add('stop three', () => undone.push('three'));
    assert.deepEqual(await cleanup.run(), ['Could not stop two: it is stuck']);
    assert.deepEqual(undone, ['three', 'one']);
    assert.deepEqual(await cleanup.run(), []);
  });

  it('undoes at once what is begun when all is over', async () => {
    const cleanup = new Cleanup();
    await cleanup.run();
    let undone = false;
    cleanup.add('stop it', () => {
      undone = true;
    });
    assert.ok(undone);
  });

  it('removes the folder with what is in it', async () => {
    const cleanup = new Cleanup();
    const folder = await createFolder(cleanup);
    await writeFile(join(folder, 'file'), '');
    assert.deepEqual(await cleanup.run(), []);
    assert.equal(await exists(folder), false);
  });

  it('removes the folder of a demo that was killed', async () => {
    const module = join(import.meta.dirname, 'cleanup.ts');
    const script = `const { Cleanup, createFolder } = await import(${JSON.stringify(module)});
      console.log(await createFolder(new Cleanup()));
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
    const folder = chunk.toString().trim();
    assert.ok(await exists(folder));
    child.kill('SIGKILL');
    await once(child, 'exit');
    await waitFor(async () => !(await exists(folder)), { what: `${folder} to be removed` });
  });
});
