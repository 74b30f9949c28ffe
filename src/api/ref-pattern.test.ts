import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { cpuMs } from '../../test/env/cpu-time.ts';
import { matchesRef } from './ref-pattern.ts';

describe('matchesRef', () => {
  const cases: readonly (readonly [patterns: readonly string[], ref: string, fits: boolean])[] = [
    [['refs/heads/main'], 'refs/heads/main', true],
    [['main'], 'refs/heads/main', true],
    [['main'], 'refs/heads/maintenance', false],
    [['main'], 'refs/heads/feature/main', false],
    [['main'], 'refs/tags/main', false],
    [['*'], 'refs/heads/main', true],
    [['*'], 'refs/tags/v1', true],
    [['v*'], 'refs/tags/v1', false],
    [['refs/tags/v*'], 'refs/tags/v1.2', true],
    [['refs/tags/v*'], 'refs/heads/v1.2', false],
    [['release/*'], 'refs/heads/release/1/x', true],
    [['release/*'], 'refs/heads/release/', true],
    [['*/x'], 'refs/heads/a/b/x', true],
    [['refs/*/v1'], 'refs/tags/v1', true],
    [['refs/heads/x'], 'refs/heads/refs/heads/x', false],
    [['heads/main'], 'refs/heads/main', false],
    [['a*a'], 'refs/heads/a', false],
    [['a*a'], 'refs/heads/aa', true],
    [['**'], 'refs/heads/x', true],
    [['*a*b*'], 'refs/heads/xaxbx', true],
    [['refs/heads/*a*b*'], 'refs/heads/xbxax', false],
    [['Main'], 'refs/heads/main', false],
    [['m.in'], 'refs/heads/main', false],
    [['[m]ain', 'ma?n', '(main)'], 'refs/heads/main', false],
    [['dev', 'main'], 'refs/heads/main', true],
    [[], 'refs/heads/main', false],
    [[''], 'refs/heads/main', false],
  ];
  for (const [patterns, ref, fits] of cases) {
    it(`${fits ? 'fits' : 'does not fit'} ${ref} to ${JSON.stringify(patterns)}`, () => {
      assert.equal(matchesRef(patterns, ref), fits);
    });
  }

  it('agrees with a table of all prefixes on every pattern and text', () => {
    const text = fc.string({ unit: fc.constantFrom(...'ab/'), maxLength: 12 });
    const pattern = fc.string({ unit: fc.constantFrom(...'ab/**'), maxLength: 8 });
    fc.assert(
      fc.property(pattern, text, (p, t) => {
        assert.equal(matchesRef([`refs/x${p}`], `refs/x${t}`), fitsByTable(p, t));
      }),
      { numRuns: 2000 },
    );
  });

  it('stays fast on hostile patterns', () => {
    const pattern = '*a'.repeat(128);
    const ref = `refs/heads/${'a'.repeat(1000)}b`;
    const started = cpuMs();
    for (let round = 0; round < 100; round += 1) assert.equal(matchesRef([pattern], ref), false);
    const eachMs = (cpuMs() - started) / 100;
    assert.ok(eachMs < 5, `one match took ${eachMs} ms`);
  });
});

/** The textbook's quadratic way: row by row, which prefixes of the text fit the prefix of the pattern. */
function fitsByTable(pattern: string, text: string): boolean {
  let row = Array.from({ length: text.length + 1 }, (_, length) => length === 0);
  for (const sign of pattern) {
    const next: boolean[] = [];
    for (let length = 0; length <= text.length; length += 1) {
      const stays = sign === '*' && (row[length] || (length > 0 && next[length - 1]));
      next.push(Boolean(stays || (sign !== '*' && length > 0 && row[length - 1] && text[length - 1] === sign)));
    }
    row = next;
  }
  return row[text.length] === true;
}
