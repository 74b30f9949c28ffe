import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { GitHookRun } from '../api/githookrun.ts';
import type { KubeObject } from '../api/object.ts';
import { TerminalError } from '../errors.ts';
import { childName } from './name.ts';
import runJson from './testdata/run.json' with { type: 'json' };

const run = runJson as GitHookRun;
const stamped: GitHookRun = { ...run, spec: { ...run.spec, timestampSuffix: true } };

function manifest(metadata: object): KubeObject {
  return { apiVersion: 'batch/v1', kind: 'Job', metadata };
}

function withUid(uid: string): GitHookRun {
  return { ...run, metadata: { ...run.metadata, uid } };
}

const label = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const subdomain = /^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$/;

const table: readonly {
  readonly what: string;
  readonly metadata: object;
  readonly run: GitHookRun;
  readonly name: string;
}[] = [
  { what: 'a name', metadata: { name: 'build' }, run, name: 'build-q3bfcwzu' },
  { what: 'a generateName', metadata: { generateName: 'build-' }, run, name: 'build-q3bfcwzu' },
  { what: 'both: the name', metadata: { name: 'a', generateName: 'b-' }, run, name: 'a-q3bfcwzu' },
  { what: 'an empty name and a generateName', metadata: { name: '', generateName: 'b-' }, run, name: 'b-q3bfcwzu' },
  { what: 'a name with timestampSuffix', metadata: { name: 'build' }, run: stamped, name: 'build-1795363200-q3bfcwzu' },
  {
    what: 'a generateName with timestampSuffix',
    metadata: { generateName: 'build-' },
    run: stamped,
    name: 'build-q3bfcwzu',
  },
  { what: 'a name of 63', metadata: { name: 'n'.repeat(63) }, run, name: `${'n'.repeat(54)}-q3bfcwzu` },
  {
    what: 'a name of 253 with timestampSuffix',
    metadata: { name: 'n'.repeat(253) },
    run: stamped,
    name: `${'n'.repeat(43)}-1795363200-q3bfcwzu`,
  },
  {
    what: 'a name that is cut at a dot',
    metadata: { name: `${'n'.repeat(53)}.x` },
    run,
    name: `${'n'.repeat(53)}-q3bfcwzu`,
  },
  {
    what: 'upper case, left for the API server to refuse',
    metadata: { name: 'Build_1' },
    run,
    name: 'Build_1-q3bfcwzu',
  },
  { what: 'nothing but hyphens, left invalid', metadata: { generateName: '--' }, run, name: '--q3bfcwzu' },
];

describe('childName', () => {
  for (const { what, metadata, run: of, name } of table) {
    it(`of ${what} is ${name}`, () => assert.equal(childName(manifest(metadata), of), name));
  }

  it('leaves the room that is asked for', () => {
    assert.equal(childName(manifest({ name: 'n'.repeat(63) }), run, 5).length, 58);
  });

  it('asks for generateName where there is neither', () => {
    assert.throws(
      () => childName(manifest({}), run),
      (error) =>
        error instanceof TerminalError &&
        error.reason === 'ManifestInvalid' &&
        /write metadata.generateName/.test(error.message),
    );
  });

  it('asks for quotes around a number', () => {
    assert.throws(() => childName(manifest({ name: 1 }), run), /metadata.name is not a text: write quotes around it/);
  });

  it('of every valid name is valid, stable, at most 63, and another for another run', () => {
    const base = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,250}[a-z0-9])?$/);
    const field = fc.constantFrom('name', 'generateName');
    fc.assert(
      fc.property(base, field, fc.uuid(), fc.uuid(), fc.boolean(), (text, key, one, other, timestampSuffix) => {
        fc.pre(one !== other);
        const of = (uid: string): string => {
          const asked = withUid(uid);
          return childName(manifest({ [key]: text }), { ...asked, spec: { ...asked.spec, timestampSuffix } });
        };
        assert.match(of(one), label);
        assert.equal(of(one), of(one));
        assert.notEqual(of(one), of(other));
      }),
    );
  });

  it('of a valid name with dots is a valid name of a Job', () => {
    const base = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,9}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,9}[a-z0-9])?){0,12}\.?$/);
    fc.assert(fc.property(base, (name) => assert.match(childName(manifest({ name }), run), subdomain)));
  });

  it('of 10,000 runs of one manifest are 10,000 names', () => {
    const names = Array.from({ length: 10_000 }, (_, i) => childName(manifest({ name: 'x' }), withUid(`uid-${i}`)));
    assert.equal(new Set(names).size, names.length);
  });
});
