import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { isObjectId, isValidRef, isZeroId } from './ref.ts';

describe('isValidRef', () => {
  const refs = [
    'refs/heads/main',
    'refs/heads/feature/ü-{{workflow.name}}-$(id)',
    "refs/heads/a'b;c&d",
    'refs/tags/v1.2',
    'refs/heads/-x',
    'refs/heads/@',
    'refs/heads/a b',
    'refs/heads/a..b',
    'refs/heads/../../x',
    'refs/heads/.a',
    'refs/heads/a.lock',
    'refs/heads/a.lock/b',
    'refs/heads/a.',
    'refs/heads/a@{1}',
    'refs/heads//a',
    'refs/heads/a/',
    'refs/heads/a~1',
    'refs/heads/a^',
    'refs/heads/a:b',
    'refs/heads/a?',
    'refs/heads/*',
    'refs/heads/[a',
    'refs/heads/a\\b',
    'refs/heads/a\nb',
    'refs/heads/a\x7fb',
  ];
  for (const ref of refs) {
    it(`says of ${JSON.stringify(ref)} what git check-ref-format says`, () => {
      assert.equal(isValidRef(ref), gitTakes(ref));
    });
  }

  it('refuses what is not under refs/, is too long, or cannot be written as UTF-8', () => {
    for (const ref of ['main', 'HEAD', '', '--upload-pack=x', `refs/heads/${'a'.repeat(1024)}`, 'refs/heads/\ud800']) {
      assert.equal(isValidRef(ref), false, ref);
    }
  });
});

describe('isObjectId', () => {
  it('takes 40 or 64 lower-case hex digits and nothing else', () => {
    for (const id of ['a'.repeat(40), '0'.repeat(64)]) assert.equal(isObjectId(id), true);
    for (const id of ['', 'a'.repeat(39), 'A'.repeat(40), 'g'.repeat(40), `${'a'.repeat(40)}\n`, '-c']) {
      assert.equal(isObjectId(id), false, id);
    }
  });
});

describe('isZeroId', () => {
  it('knows the zeros of SHA-1 and of SHA-256', () => {
    assert.deepEqual(['0'.repeat(40), '0'.repeat(64), `${'0'.repeat(39)}1`].map(isZeroId), [true, true, false]);
  });
});

function gitTakes(ref: string): boolean {
  try {
    execFileSync('git', ['check-ref-format', ref], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
