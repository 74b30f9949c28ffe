import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { run } from '../../test/env/node/command.ts';
import { type Archive, digestOf, writeArchive } from './archive.ts';
import { layerOf } from './layer.ts';
import { resolveIn } from './resolve.ts';

const skip = process.platform === 'linux' ? false : 'needs GNU tar';

async function workFolder(t: { after(fn: () => unknown): void }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'kube-git-image-test-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

/** A small image from the same files, made in another place, at another time and in another order. */
async function small(folder: string, names: readonly string[]): Promise<Archive & { readonly file: string }> {
  const root = join(folder, 'files');
  await mkdir(join(root, 'bin'), { recursive: true });
  for (const name of names) await writeFile(join(root, 'bin', name), `the program ${name}`);
  for (const name of names) await utimes(join(root, 'bin', name), Math.random() * 1e9, Math.random() * 1e9);
  await chmod(join(root, 'bin/a'), 0o755);
  await symlink('a', join(root, 'bin/link'));
  const layers = [await layerOf(root, join(folder, 'layer.tar'))];
  const image = { name: 'docker.io/library/small:1.0', architecture: 'amd64', config: { User: '1:1' }, layers };
  const file = join(folder, 'small.tar');
  return { file, ...(await writeArchive(image, file, join(folder, 'layout'))) };
}

interface Descriptor {
  readonly digest: string;
  readonly size: number;
}

describe('an image archive', { skip }, () => {
  it('is an OCI layout in which every digest and size is right, and which docker load knows too', async (t) => {
    const folder = await workFolder(t);
    const { file, digest, bytes } = await small(folder, ['a', 'b']);
    assert.equal(bytes, (await readFile(file)).length);
    const out = join(folder, 'out');
    await mkdir(out);
    await run(['tar', '-C', out, '-xf', file]);
    const json = async (name: string) => JSON.parse(await readFile(join(out, name), 'utf8'));
    const blob = async ({ digest, size }: Descriptor): Promise<Buffer> => {
      const content = await readFile(join(out, 'blobs', digest.replace(':', '/')));
      assert.deepEqual([digestOf(content), content.length], [digest, size]);
      return content;
    };

    assert.deepEqual(await json('oci-layout'), { imageLayoutVersion: '1.0.0' });
    const [entry] = (await json('index.json')).manifests;
    assert.equal(entry.digest, digest);
    assert.equal(entry.annotations['io.containerd.image.name'], 'docker.io/library/small:1.0');
    const manifest = JSON.parse((await blob(entry)).toString());
    const config = JSON.parse((await blob(manifest.config)).toString());
    const layer = await blob(manifest.layers[0]);
    assert.deepEqual(config.rootfs.diff_ids, [digestOf(gunzipSync(layer))]);
    assert.deepEqual([config.os, config.architecture, config.config], ['linux', 'amd64', { User: '1:1' }]);
    const path = ({ digest }: Descriptor): string => `blobs/${digest.replace(':', '/')}`;
    const forDocker = { Config: path(manifest.config), Layers: manifest.layers.map(path) };
    assert.deepEqual(await json('manifest.json'), [{ ...forDocker, RepoTags: ['docker.io/library/small:1.0'] }]);
    assert.equal((await readdir(join(out, 'blobs/sha256'))).length, 3);
  });

  it('is the same, byte by byte, wherever and whenever it is made of the same files', async (t) => {
    const [one, another] = [await workFolder(t), await workFolder(t)];
    const made = [await small(one, ['a', 'b']), await small(another, ['b', 'a'])];
    assert.equal(made[0]?.digest, made[1]?.digest);
    assert.deepEqual(await readFile(made[0]?.file ?? ''), await readFile(made[1]?.file ?? ''));
  });

  it('holds files of root from 1970, with their modes and links', async (t) => {
    const folder = await workFolder(t);
    await small(folder, ['a', 'b']);
    const blobs = join(folder, 'layout/blobs/sha256');
    const list = (name: string) => run(['tar', '--utc', '-tvzf', join(blobs, name)]).catch(() => ''); // two are JSON
    const lists = await Promise.all((await readdir(blobs)).map(list));
    const lines = lists
      .join('')
      .trim()
      .split('\n')
      .map((line) => line.replace(/\s+/g, ' '));
    assert.deepEqual(lines.slice(-3), [
      '-rwxr-xr-x 0/0 13 1970-01-01 00:00 ./bin/a',
      '-rw-r--r-- 0/0 13 1970-01-01 00:00 ./bin/b',
      'lrwxrwxrwx 0/0 0 1970-01-01 00:00 ./bin/link -> a',
    ]);
  });
});

describe('resolveIn', () => {
  it('follows links as they are seen from inside the root, and not for ever', async (t) => {
    const root = await workFolder(t);
    await mkdir(join(root, 'usr/lib'), { recursive: true });
    await writeFile(join(root, 'usr/lib/c.so.1'), '');
    await symlink('usr/lib', join(root, 'lib'));
    await symlink('/lib/c.so.1', join(root, 'usr/lib/c.so'));
    await symlink('../../../../../usr/lib/c.so', join(root, 'usr/lib/up.so'));
    await symlink('circle', join(root, 'circle'));
    for (const path of ['lib/c.so', 'usr/lib/c.so.1', '/lib/../lib/up.so']) {
      assert.equal(await resolveIn(root, path), 'usr/lib/c.so.1', path);
    }
    await assert.rejects(resolveIn(root, 'circle'), /too many links/);
  });
});
