// Which programs are chosen, and what a user reads when there are none. Programs here are empty scripts.
import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { binary, isAtHand } from './binaries.ts';
import { cacheFolder } from './build.ts';
import { kubernetes } from './kubernetes/programs.ts';
import { SetupError } from './setup-error.ts';

type Test = { after(fn: () => unknown): void };

/** A folder with these executables; each says what it is given. */
async function folderWith(t: Test, programs: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'kube-git-binaries-'));
  t.after(() => rm(folder, { recursive: true }));
  for (const [name, script] of Object.entries(programs)) {
    await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`);
    await chmod(join(folder, name), 0o755);
  }
  return folder;
}

/** A writer that remembers. */
function output(): { write(text: string): void; said: string } {
  return {
    said: '',
    write(text) {
      this.said += text;
    },
  };
}

const controlPlane = { etcd: '', 'kube-apiserver': '' };

describe('binary', () => {
  it('takes the user’s own from KUBEBUILDER_ASSETS', async (t) => {
    const folder = await folderWith(t, controlPlane);
    const env = { KUBEBUILDER_ASSETS: folder, PATH: '' };
    assert.deepEqual(await binary('etcd', { env }), { file: join(folder, 'etcd'), args: [] });
    assert.equal(await isAtHand('kube-controller-manager', env), false);
  });

  it('takes them from PATH where it has both, in whatever folders', async (t) => {
    const [one, other] = [await folderWith(t, { etcd: '' }), await folderWith(t, { 'kube-apiserver': '' })];
    const env = { PATH: `${one}:${other}` };
    assert.equal((await binary('kube-apiserver', { env })).file, join(other, 'kube-apiserver'));
  });

  it('says that KUBEBUILDER_ASSETS lacks one of the two', async (t) => {
    const folder = await folderWith(t, { etcd: '' });
    await assert.rejects(binary('etcd', { env: { KUBEBUILDER_ASSETS: folder } }), (error) => {
      assert.ok(error instanceof SetupError);
      assert.match(error.message, /does not have both etcd and kube-apiserver: correct it, or unset it/);
      return true;
    });
  });

  const withoutGo: { name: string; go: Record<string, string>; message: RegExp }[] = [
    { name: 'no Go', go: {}, message: /^Go is needed .* Install Go 1\.24 or newer .* or set KUBEBUILDER_ASSETS/ },
    {
      name: 'an old Go',
      go: { go: 'echo go version go1.19.8 linux/amd64' },
      message: /^This Go is too old \(go version go1\.19\.8 linux\/amd64\).* Install Go 1\.24 or newer/,
    },
  ];
  for (const { name, go, message } of withoutGo) {
    it(`says in one line what to install where there is nothing built and ${name}`, async (t) => {
      const folder = await folderWith(t, go);
      const env = { PATH: folder, XDG_CACHE_HOME: folder };
      await assert.rejects(binary('etcd', { env }), (error) => {
        assert.ok(error instanceof SetupError);
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /\n/);
        return true;
      });
    });
  }

  it('takes what was built before without asking for Go', async (t) => {
    const env = { PATH: '', XDG_CACHE_HOME: await folderWith(t, {}) };
    const folder = await cacheFolder(kubernetes, env);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'kubernetes'), '', { mode: 0o755 });
    assert.deepEqual(await binary('kubectl', { env }), { file: join(folder, 'kubernetes'), args: ['kubectl'] });
  });

  it('builds once for two that ask at the same time, and says what is being waited for', async (t) => {
    const go = `if [ "$1" = version ]; then echo go version go1.24.0; else echo built >>"$XDG_CACHE_HOME/builds"
      while [ "$1" != -o ]; do shift; done; printf '#!/bin/sh\\n' >"$2"; chmod 755 "$2"; fi`;
    const folder = await folderWith(t, { go: `PATH=/usr/bin:/bin; ${go}` });
    const env = { PATH: folder, XDG_CACHE_HOME: folder };
    const said = output();
    const [one, other] = await Promise.all([
      binary('etcd', { env, output: said }),
      binary('etcd', { env, output: output() }),
    ]);
    assert.deepEqual(one, other);
    assert.equal((await readLines(join(folder, 'builds'))).length, 1);
    assert.match(
      said.said,
      /^Building etcd and Kubernetes .* \(usually about 5 minutes on two cores\) …\n… 0 s, done\n$/,
    );
  });

  it('gives the last lines of a build that fails', async (t) => {
    const go = 'if [ "$1" = version ]; then echo go version go1.24.0; else echo main.go:1: no such module; exit 1; fi';
    const folder = await folderWith(t, { go });
    const env = { PATH: folder, XDG_CACHE_HOME: folder };
    await assert.rejects(binary('etcd', { env, output: output() }), /go build failed .*\nmain.go:1: no such module/);
  });
});

async function readLines(path: string): Promise<string[]> {
  return (await readFile(path, 'utf8')).trim().split('\n');
}
