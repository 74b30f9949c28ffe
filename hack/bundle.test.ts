import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { systemClock } from '../src/clock.ts';
import { parseConfig, version } from '../src/config.ts';
import { github } from '../src/forge/github.ts';
import { Reader } from '../src/receiver/reader.ts';
import { bundle } from './bundle.ts';

async function emptyFolder(t: { after(fn: () => unknown): void }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'kube-git-bundle-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

describe('the bundle', () => {
  it('runs with nothing beside it, says its version, helps, and finds its errors', async (t) => {
    const folder = await emptyFolder(t);
    await bundle(join(folder, 'made/kube-git.mjs'));
    await mkdir(join(folder, 'alone'));
    const file = join(folder, 'alone/kube-git.mjs');
    await rename(join(folder, 'made/kube-git.mjs'), file);
    const run = (...args: string[]) => promisify(execFile)(process.execPath, [file, ...args], { cwd: folder, env: {} });

    assert.equal((await run('-version')).stdout, `kube-git ${version}\n`);
    const help = parseConfig(['-help'], {});
    assert.equal((await run('-help')).stdout, help.kind === 'print' && help.text);
    const failed = run('-kubeconfig', join(folder, 'none'), '-webhook-port', '0', '-private-port', '0');
    await assert.rejects(failed, { code: 1, stderr: /^kube-git: kubeconfig: cannot read .*ENOENT\)\n$/ });
  });

  it('is the same each time, has a source map, and names no folder of this machine', async (t) => {
    const folder = await emptyFolder(t);
    const files = ['one/kube-git.mjs', 'another/kube-git.mjs'].map((name) => join(folder, name));
    for (const file of files) await bundle(file);
    const [one, another] = await Promise.all(files.map((file) => readFile(file, 'utf8')));
    assert.equal(one, another);
    assert.ok(!one?.includes(process.cwd()));
    const map = JSON.parse(await readFile(`${files[0]}.map`, 'utf8')) as { sources: string[] };
    assert.ok(map.sources.some((source) => source.endsWith('src/main.ts')));
  });

  it('is the thread for large deliveries, too', async (t) => {
    const folder = await emptyFolder(t);
    const { file: program } = await bundle(join(folder, 'kube-git.mjs'));
    const reader = new Reader({ program, largeBytes: 1, idleMs: 1000, clock: systemClock });
    t.after(() => reader.close());
    const delivery = { headers: { 'x-github-event': 'push' }, body: Buffer.from('{}') };
    const { signal } = new AbortController();
    assert.deepEqual(await reader.read(github, delivery, ['a secret'], signal), { kind: 'unverified' });
  });
});
