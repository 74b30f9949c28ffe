import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { commitLabelValue, cutName, digest, gitHookLabelValue, labelLimit } from './labels.ts';

/** What the API server allows as a label value. */
const valid = /^[a-zA-Z0-9]([-a-zA-Z0-9_.]{0,61}[a-zA-Z0-9])?$/;

describe('gitHookLabelValue', () => {
  it('is the name up to 63 characters', () => {
    assert.equal(gitHookLabelValue('build'), 'build');
    assert.equal(gitHookLabelValue('a'.repeat(63)), 'a'.repeat(63));
  });

  it('is cut, with a digest of the whole, beyond that; and never changes', () => {
    assert.equal(gitHookLabelValue(`${'a'.repeat(49)}.${'b'.repeat(203)}`), `${'a'.repeat(49)}-q5hw6no52phh`);
  });

  it('is a valid label value of every valid name, and another for another name', () => {
    const part = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,40}[a-z0-9])?$/);
    const name = fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.join('.').slice(0, 253));
    fc.assert(
      fc.property(name, name, (one, other) => {
        fc.pre(one !== other && /[a-z0-9]$/.test(one) && /[a-z0-9]$/.test(other));
        assert.match(gitHookLabelValue(one), valid);
        assert.notEqual(gitHookLabelValue(one), gitHookLabelValue(other));
      }),
    );
  });
});

describe('commitLabelValue', () => {
  it('is the id, of SHA-256 all but its last digit', () => {
    assert.equal(commitLabelValue('a'.repeat(40)), 'a'.repeat(40));
    assert.equal(commitLabelValue('b'.repeat(64)), 'b'.repeat(labelLimit));
  });
});

describe('digest', () => {
  it('is the beginning of the SHA-256 in base32', () => {
    // printf abc | sha256sum | xxd -r -p | base32
    assert.equal(digest('abc', 32), 'xj4bnp4pahh6uqkbidpf3lrceoyagynd');
    assert.equal(digest('abc', 8), 'xj4bnp4p');
  });
});

describe('cutName', () => {
  it('leaves no - or . at the end', () => {
    assert.equal(cutName('build-', 63), 'build');
    assert.equal(cutName('a.b-.-c', 6), 'a.b');
    assert.equal(cutName('---', 63), '');
    assert.equal(cutName('abc', -1), '');
  });
});
