// testdata/kubectl-documents.json: whole manifests and what `kubectl create --dry-run=client --validate=false -o json` (1.34.4) made
// of their field v; `error` where it refused. `kubeGit` where kube-git differs on purpose: it refuses what kubectl reads
// silently otherwise than it looks (keys that are there twice, tags), and accepts some YAML 1.2 that kubectl's older parser does not.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { cpuMs } from '../../test/env/cpu-time.ts';
import { TerminalError } from '../errors.ts';
import { parseManifest } from './manifest.ts';
import { at } from './mapping.ts';
import { readYaml, YamlError } from './yaml.ts';

interface Row {
  readonly name: string;
  readonly yaml: string;
  readonly v?: unknown;
  readonly error?: true;
  readonly kubeGit?: 'refused' | 'accepted';
}

const rows: readonly Row[] = JSON.parse(
  readFileSync(new URL('testdata/kubectl-documents.json', import.meta.url), 'utf8'),
);

describe('a document', () => {
  for (const { name, yaml, v, error, kubeGit } of rows) {
    if (kubeGit === 'accepted') {
      it(`${name}: is read, although kubectl refuses it`, () => assert.notEqual(parseManifest(yaml)['v'], undefined));
    } else if (error || kubeGit === 'refused') {
      it(`${name}: is refused`, () => assert.throws(() => parseManifest(yaml), TerminalError));
    } else {
      it(`${name}: means what it means to kubectl`, () => assert.deepEqual(parseManifest(yaml)['v'] ?? null, v));
    }
  }

  it('keeps the order of keys', () => {
    const value = readYaml('z: 1\na: 2\nm: {x: 1, b: 2}\n');
    assert.equal(JSON.stringify(value), '{"z":1,"a":2,"m":{"x":1,"b":2}}');
  });

  for (const { text, place } of [
    { text: 'a: {\n x: 1,\n x: 2\n}\n', place: { line: 3, column: 2 } },
    { text: 'a: {\nx: 1,\nx: 2\n}\n', place: { line: 3, column: 1 } },
    { text: 'a: [\nb, @\n]\n', place: { line: 2, column: 4 } },
    { text: 'a: [\nb\n]\nc: @\n', place: { line: 4, column: 4 } },
  ]) {
    it(`${JSON.stringify(text)} is refused with the place as the text has it`, () => {
      assert.throws(
        () => readYaml(text),
        (error) => error instanceof YamlError && assert.deepEqual(error.place, place) === undefined,
      );
    });
  }

  it('shares nothing between the places an alias repeats', () => {
    const value = readYaml('a: &x {k: [1]}\nb: *x\n');
    assert.deepEqual(at(value, 'a'), at(value, 'b'));
    assert.notEqual(at(value, 'a'), at(value, 'b'));
    assert.notEqual(at(value, 'a', 'k'), at(value, 'b', 'k'));
  });
});

/** Each in a bounded time, with a YamlError, and with the heap it had before. */
const hostile: readonly { readonly name: string; readonly text: string; readonly says: RegExp }[] = [
  { name: 'billion laughs, 6 deep', text: laughs(6), says: /1\.5 MiB/ },
  { name: 'billion laughs, 9 deep', text: laughs(9), says: /1\.5 MiB/ },
  {
    name: 'one long text repeated',
    text: `a: &a "${'x'.repeat(100_000)}"\nb: [${'*a,'.repeat(100_000)}]`,
    says: /1\.5 MiB/,
  },
  { name: '2000 keys merged 5000 times', text: merges(2000, 5000), says: /more than 10000 keys/ },
  { name: '100,000 nested lists', text: '['.repeat(100_000), says: /more than 100 levels/ },
  { name: '100,000 nested mappings', text: '{a: '.repeat(100_000), says: /more than 100 levels/ },
  {
    name: '1000 nested blocks',
    text: Array.from({ length: 1000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
    says: /100 levels/,
  },
  { name: 'aliases that nest', text: nestedAliases(), says: /more than 100 levels/ },
  { name: 'an alias in its own value', text: 'a: &a [1, *a]', says: /stands inside the value it repeats/ },
  { name: 'an alias in its own key', text: '&a {*a : 1}', says: /stands inside the value it repeats/ },
  { name: 'an alias of nothing', text: 'a: *b', says: /none before it is marked &b/ },
  { name: 'a NUL', text: 'a: "x\0y"', says: /null byte/ },
  { name: 'a merge of a text', text: 'a: {<<: x}', says: /<< needs a mapping/ },
  { name: '%TAG', text: '%TAG !! tag:evil,2000:\n---\na: !!int 1', says: /%TAG is not supported/ },
  { name: '80,000 documents', text: 'a\n---\n'.repeat(80_000), says: /a second document starts here/ },
  {
    name: '200,000 lines in brackets that are not indented',
    text: `a: [\n${'x,\n'.repeat(200_000)}]`,
    says: /indentation/,
  },
  { name: 'a mapping as a key', text: '{{a: 1}: 2}', says: /a key must be a text/ },
];

function laughs(depth: number): string {
  const lines = Array.from(
    { length: depth },
    (_, i) => `l${i + 1}: &l${i + 1} [${Array(10).fill(`*l${i}`).join(', ')}]`,
  );
  return [`l0: &l0 [${Array(10).fill('lol').join(', ')}]`, ...lines].join('\n');
}

function merges(keys: number, times: number): string {
  const anchored = Array.from({ length: keys }, (_, i) => `k${i}: 1`).join(', ');
  return `a: &a {${anchored}}\nb:\n${'- <<: *a\n'.repeat(times)}`;
}

function nestedAliases(): string {
  const level = (name: string, inner: string): string => `${name}: &${name} ${'['.repeat(60)}${inner}${']'.repeat(60)}`;
  return `${level('a', '1')}\n${level('b', '*a')}\n`;
}

describe('a hostile text', () => {
  for (const { name, text, says } of hostile) {
    it(`${name}: is refused soon, with its line`, () => {
      const started = cpuMs();
      assert.throws(
        () => readYaml(text),
        (error) => error instanceof YamlError && says.test(error.message) && (error.place?.line ?? 0) > 0,
      );
      assert.ok(cpuMs() - started < 2000, 'computes for less than 2 s; usually some ms');
    });
  }

  it('of 120,000 empty documents is empty, soon', () => {
    const started = cpuMs();
    assert.equal(readYaml('---\n'.repeat(120_000)), null);
    assert.ok(cpuMs() - started < 2000);
  });

  it('__proto__ in a merged anchor is refused and touches no prototype', () => {
    assert.throws(() => readYaml('a: &a {__proto__: {x: 1}}\nb: {<<: *a}'), /"__proto__" is not allowed/);
    assert.equal(({} as Record<string, unknown>)['x'], undefined);
  });
});
