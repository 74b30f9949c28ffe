// The table of what a plain value means is testdata/kubectl-scalars.json: what `kubectl create --dry-run=client --validate=false
// -o json` (1.34.4) made of `v: <yaml>` in a manifest, as JSON text; `error` where it refused.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { cpuMs } from '../../test/env/cpu-time.ts';
import { at } from './mapping.ts';
import { isRefusal, resolvePlain } from './scalar.ts';
import { readYaml, YamlError } from './yaml.ts';

interface Row {
  readonly yaml: string;
  readonly json?: string;
  readonly error?: true;
}

const rows: readonly Row[] = JSON.parse(
  readFileSync(new URL('testdata/kubectl-scalars.json', import.meta.url), 'utf8'),
);

/** Whole numbers that a JavaScript number does not keep: kubectl passes them on, kube-git asks for quotes. */
const tooLarge = ['9007199254740993', '18446744073709551615', '99999999999999999999'];

function read(yaml: string): unknown {
  return at(readYaml(`v: ${yaml}\n`), 'v');
}

describe('a scalar', () => {
  for (const { yaml, json, error } of rows) {
    if (error || tooLarge.includes(yaml)) {
      it(`${yaml} is refused`, () => assert.throws(() => read(yaml), YamlError));
    } else {
      it(`${yaml} is ${json}, as kubectl has it`, () => assert.deepEqual(read(yaml), JSON.parse(json ?? '')));
    }
  }

  for (const yaml of tooLarge) {
    it(`${yaml} is refused with advice to quote it`, () => {
      const value = resolvePlain(yaml);
      assert.ok(isRefusal(value));
      assert.match(value.refused, /too large to be kept exactly .* write it in quotes/);
      assert.equal(read(`"${yaml}"`), yaml);
    });
  }

  it('of many digits is refused, or a text where it is too large even for a double, and in no time', () => {
    const started = cpuMs();
    const value = resolvePlain('1'.repeat(500_000));
    assert.equal(typeof value, 'string');
    assert.ok(isRefusal(resolvePlain('1'.repeat(300))));
    assert.ok(cpuMs() - started < 1000);
  });

  it('.inf is refused with advice to quote it', () => {
    assert.throws(() => read('.inf'), /no number that Kubernetes can store; write it in quotes/);
  });

  it('!!int abc is refused, and so is a tag of one’s own', () => {
    assert.throws(() => read('!!int abc'), /no value of type !!int/);
    assert.throws(() => read('!secret abc'), /the tag !secret is not supported/);
  });
});
