import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { createRunFolder, deadRunFolders, processStart } from './run-folder.ts';

const createAndEnd = `
  const { createRunFolder } = await import(${JSON.stringify(new URL('run-folder.ts', import.meta.url))});
  console.log((await createRunFolder()).path);
`;

describe('run folders', { skip: process.platform === 'linux' ? false : 'reads /proc' }, () => {
  it('that of a living process is not dead', async (t) => {
    const { path } = await createRunFolder();
    t.after(() => rm(path, { recursive: true }));
    const dead = await deadRunFolders();
    assert.ok(!dead.some((folder) => folder.path === path));
  });

  it('that of a process that has ended is dead', async (t) => {
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', createAndEnd]);
    const path = stdout.trim();
    t.after(() => rm(path, { recursive: true }));
    assert.ok((await deadRunFolders()).some((folder) => folder.path === path));
  });

  it('a process that is not there has no start', async () => {
    assert.equal(await processStart(2 ** 30), undefined); // above the highest process number of Linux
    assert.match((await processStart(process.pid)) ?? '', /^\d+$/);
  });
});
