// The table in docs/architecture.md is the law of who may import whom; files stay small enough to read at once.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, it } from 'node:test';

const root = join(import.meta.dirname, '..');
const lineLimit = 250;

/** Folder below src → what it may import, from the table's rows «| `src/x` | meaning | a, b |». */
function readTable(markdown: string): Map<string, readonly string[]> {
  const rows = markdown.matchAll(/^\| `src\/([a-z]+)` *\|[^|]*\|([^|]*)\|$/gm);
  return new Map(
    [...rows].map(([, folder = '', allowed = '']) => [
      folder,
      allowed
        .split(',')
        .map((word) => word.trim())
        .filter(Boolean),
    ]),
  );
}

/** 'api' for src/api/x.ts, 'leaves' for src/x.ts, 'main' for src/main.ts. */
function placeOf(file: string): string {
  const path = relative(join(root, 'src'), file);
  if (path.startsWith('..')) return path;
  if (path === 'main.ts') return 'main';
  return path.includes('/') ? dirname(path).split('/')[0]! : 'leaves';
}

function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?'(\.{1,2}\/[^']+\.ts)'/g)].map(([, path = '']) =>
    resolve(dirname(file), path),
  );
}

/** What of these imports the table does not allow. */
function violations(from: string, imports: readonly string[], table: Map<string, readonly string[]>): string[] {
  const place = placeOf(from);
  if (place === 'main') return [];
  const allowed = place === 'leaves' ? ['leaves'] : [place, ...(table.get(place) ?? [])];
  return imports
    .filter((file) => !allowed.includes(placeOf(file)))
    .map((file) => `${relative(root, from)} imports ${relative(root, file)}`);
}

describe('the import table', () => {
  const table = readTable(readFileSync(join(root, 'docs/architecture.md'), 'utf8'));
  const sources = globSync('src/**/*.ts', { cwd: root })
    .filter((file) => !file.endsWith('.test.ts'))
    .map((file) => join(root, file));

  it('names every folder of src', () => {
    const folders = new Set(sources.map(placeOf).filter((place) => place !== 'leaves' && place !== 'main'));
    assert.deepEqual([...table.keys()].sort(), [...folders].sort());
  });

  it('is kept by every file', () => {
    assert.deepEqual(
      sources.flatMap((file) => violations(file, importsOf(file), table)),
      [],
    );
  });

  it('goes red for an import that it does not allow', () => {
    const file = join(root, 'src/kube/client.ts');
    assert.equal(violations(file, [join(root, 'src/api/githook.ts')], table).length, 1);
    assert.equal(violations(file, [join(root, 'src/main.ts')], table).length, 1);
    assert.equal(violations(file, [join(root, 'src/errors.ts')], table).length, 0);
  });

  it('sees the imports of a file', () => {
    assert.ok(importsOf(join(root, 'src/main.ts')).length > 10);
  });
});

describe('files', () => {
  it(`have at most ${lineLimit} lines`, () => {
    const files = globSync('{src,test,hack,bench}/**/*.{ts,mjs}', { cwd: root });
    const long = files.filter((file) => readFileSync(join(root, file), 'utf8').split('\n').length - 1 > lineLimit);
    assert.deepEqual(long, []);
  });
});
