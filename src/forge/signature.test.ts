import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, it } from 'node:test';
import { hasValidSignature } from './signature.ts';

const body = Buffer.from('{"a":1}');
const secret = 'a secret of some length';
const hex = createHmac('sha256', secret).update(body).digest('hex');
const sha1 = createHmac('sha1', secret).update(body).digest('hex');
const signedWith = (key: string): string => `sha256=${createHmac('sha256', key).update(body).digest('hex')}`;

describe('hasValidSignature', () => {
  const cases: readonly (readonly [name: string, header: string | undefined, valid: boolean, secret?: string])[] = [
    ['the right one', `sha256=${hex}`, true],
    ['no header', undefined, false],
    ['an empty header', '', false],
    ['the prefix alone', 'sha256=', false],
    ['no prefix', hex, false],
    ['three letters', 'abc', false],
    ['10 KB', `sha256=${'a'.repeat(10_000)}`, false],
    ['no hex digits', `sha256=${'z'.repeat(64)}`, false],
    ['one digit too few', `sha256=${hex.slice(1)}`, false],
    ['one digit too many', `sha256=${hex}0`, false],
    ['a wrong last digit', `sha256=${hex.slice(0, -1)}${hex.endsWith('0') ? '1' : '0'}`, false],
    ['multi-byte characters of the right length', `sha256=${'ä'.repeat(64)}`, false],
    ['the header twice', `sha256=${hex}, sha256=${hex}`, false],
    ['SHA-1', `sha1=${sha1}`, false],
    ['SHA-1 under the other name', `sha256=${sha1}`, false],
    ['upper case', `sha256=${hex.toUpperCase()}`, false],
    ['the digest of an empty key, and an empty secret', signedWith(''), false, ''],
    ['the digest of white space, and such a secret', signedWith(' \n'), false, ' \n'],
    ["another secret's", signedWith('changeme'), false],
  ];
  for (const [name, header, valid, key = secret] of cases) {
    it(`${valid ? 'takes' : 'refuses'} ${name}`, () => {
      assert.equal(hasValidSignature({ body, header, prefix: 'sha256=' }, key), valid);
    });
  }

  it('refuses the signature of another body', () => {
    assert.equal(
      hasValidSignature({ body: Buffer.from('{"a":2}'), header: `sha256=${hex}`, prefix: 'sha256=' }, secret),
      false,
    );
  });
});
