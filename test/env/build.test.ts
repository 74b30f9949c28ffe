// What is built and kept in the cache. Go is a script here that notes what it is asked and writes what it should.
import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { argo } from './argo/programs.ts';
import { builtFolder, cacheFolder, type GoBuild } from './build.ts';
import { gitea } from './gitea/programs.ts';

const quiet = { write: () => undefined };

/** Says what it was called for to $NOTES; `go list` names $MODULE; a program built is its sources' list of patches. */
const go = `#!/bin/sh
PATH=/usr/bin:/bin
echo "CGO_ENABLED=$CGO_ENABLED go $*" >>"$NOTES"
case "$1 $2" in
  version*) echo go version go1.30.0 ;;
  'mod vendor') mkdir -p vendor/example.org/lib ;;
  'list -m') echo "$MODULE" ;;
  build*) while [ "$1" != -o ]; do shift; done; { echo '#!'; ls vendor/example.org/lib; } >"$2"; chmod 755 "$2" ;;
esac`;

interface Place {
  readonly build: GoBuild;
  readonly env: NodeJS.ProcessEnv;
  readonly notes: () => Promise<string[]>;
}

/** Sources, a module and a Go in a folder of the test's own. */
async function place(t: { after(fn: () => unknown): void }, changes: Partial<GoBuild> = {}): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'kube-git-build-'));
  const [sources, module, bin] = ['sources', 'module', 'bin'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const path of [sources, join(module, 'manifests/deep'), bin]) await mkdir(path, { recursive: true });
  for (const file of ['go.mod', 'go.sum', 'patch.go']) await writeFile(join(sources, file), file);
  await writeFile(join(module, 'manifests/deep/crd.yaml'), 'kind: X\n', { mode: 0o444 });
  await chmod(join(module, 'manifests'), 0o555);
  t.after(async () => {
    await chmod(join(module, 'manifests'), 0o755);
    await rm(folder, { recursive: true });
  });
  await writeFile(join(bin, 'go'), go, { mode: 0o755 });
  const env = { PATH: bin, XDG_CACHE_HOME: folder, NOTES: join(folder, 'notes'), MODULE: module };
  const build: GoBuild = {
    ...{ name: 'thing', what: 'a thing', usually: 'a moment', sources, files: ['patch.go'] },
    programs: { one: 'example.org/one', two: 'example.org/two' },
    flags: ['-flag'],
    cgo: false,
    goWanted: { major: 1, minor: 24 },
    patches: { 'example.org/lib/missing.go': 'patch.go' },
    data: { crds: { module: 'example.org/lib', folder: 'manifests' } },
    ...changes,
  };
  const notes = async () => (await readFile(env.NOTES, 'utf8')).trim().split('\n');
  return { build, env, notes };
}

describe('builtFolder', () => {
  it('builds every program from patched sources, keeps the data beside them, and nothing else', async (t) => {
    const { build, env, notes } = await place(t);
    const folder = await builtFolder(build, { env, output: quiet });
    assert.deepEqual((await readdir(folder)).sort(), ['build.log', 'crds', 'one', 'two']);
    assert.equal(await readFile(join(folder, 'one'), 'utf8'), '#!\nmissing.go\n');
    assert.equal(await readFile(join(folder, 'crds/deep/crd.yaml'), 'utf8'), 'kind: X\n');
    const made = (name: string) => `-o ${folder}/${name}.unfinished example.org/${name}`;
    assert.deepEqual(await notes(), [
      'CGO_ENABLED= go version',
      'CGO_ENABLED=0 go mod vendor',
      `CGO_ENABLED=0 go build -trimpath -buildvcs=false -mod=vendor -flag ${made('one')}`,
      `CGO_ENABLED=0 go build -trimpath -buildvcs=false -mod=vendor -flag ${made('two')}`,
      'CGO_ENABLED= go list -m -f {{.Dir}} example.org/lib',
    ]);
    await builtFolder(build, { env, output: quiet });
    assert.equal((await notes()).length, 5);
  });

  it('says that a C compiler is missing where the program needs one', async (t) => {
    const { build, env } = await place(t, { cgo: true });
    await assert.rejects(builtFolder(build, { env, output: quiet }), {
      name: 'SetupError',
      message: 'A C compiler is needed to build a thing. Install gcc (Debian: apt-get install gcc libc6-dev).',
    });
  });

  it('builds anew where a part is missing', async (t) => {
    const { build, env, notes } = await place(t);
    const folder = await builtFolder(build, { env, output: quiet });
    await rm(join(folder, 'two'));
    await builtFolder(build, { env, output: quiet });
    assert.equal((await notes()).filter((line) => line.includes(' go build ')).length, 4);
  });
});

describe('cacheFolder', () => {
  it('is another for other flags, files and data', async (t) => {
    const { build, env } = await place(t);
    const folders = [await cacheFolder(build, env), await cacheFolder({ ...build, flags: [] }, env)];
    folders.push(await cacheFolder({ ...build, data: {} }, env));
    await writeFile(join(build.sources, 'patch.go'), 'changed');
    folders.push(await cacheFolder(build, env));
    assert.equal(new Set(folders).size, 4);
  });

  it('does not depend on where the sources lie', async (t) => {
    const [here, there] = [await place(t), await place(t)];
    assert.equal(await cacheFolder(here.build, here.env), await cacheFolder(there.build, here.env));
  });
});

describe('the versions of Argo and Gitea', () => {
  for (const { flags, name, sources } of [argo, gitea]) {
    it(`are the same in go.mod and in what ${name} says of itself`, async () => {
      const version = /-X \S+ersion=v?([\d.]+)/.exec(flags.join(' '))?.[1];
      const required = /(?:argo-workflows\/v3|code\.gitea\.io\/gitea) v([\d.]+)/.exec(
        await readFile(join(sources, 'go.mod'), 'utf8'),
      )?.[1];
      assert.ok(version);
      assert.equal(version, required);
    });
  }
});
