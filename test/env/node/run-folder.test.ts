import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { createRunFolder, deadRunFolders, processStart } from './run-folder.ts';

const createAndEnd = `
  const { createRunFolder } = await import(${JSON.stringify(new URL('run-folder.ts', import.meta.url))});
  console.log((await createRunFolder(process.argv[1])).path);
`;

async function parentFolder(t: { after(fn: () => unknown): void }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'kubegit-folders-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

describe('run folders', { skip: process.platform === 'linux' ? false : 'reads /proc' }, () => {
  it('that of a living process is not dead', async (t) => {
    const parent = await parentFolder(t);
    await createRunFolder(parent);
    assert.deepEqual(await deadRunFolders(parent), []);
  });

  it('that of a process that has ended is dead', async (t) => {
    const parent = await parentFolder(t);
    const args = ['--input-type=module', '--eval', createAndEnd, parent];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    assert.deepEqual(
      (await deadRunFolders(parent)).map(({ path }) => path),
      [stdout.trim()],
    );
  });

  it('a living process with the number of a dead one does not keep its folder', async (t) => {
    const parent = await parentFolder(t);
    const { name } = await createRunFolder(parent);
    const earlier = name.replace(/^(kubegit-node-\d+)-\d+/, '$1-1');
    await mkdir(join(parent, earlier));
    assert.deepEqual(
      (await deadRunFolders(parent)).map((folder) => folder.name),
      [earlier],
    );
  });

  it('what is not named like ours is not touched', async (t) => {
    const parent = await parentFolder(t);
    await mkdir(join(parent, 'kubegit-node-1'));
    await mkdir(join(parent, 'somebody-kubegit-node-1-1-ab'));
    assert.deepEqual(await deadRunFolders(parent), []);
  });

  it('a process that is not there has no start', async () => {
    assert.equal(await processStart(2 ** 30), undefined); // above the highest process number of Linux
    assert.match((await processStart(process.pid)) ?? '', /^\d+$/);
  });
});
