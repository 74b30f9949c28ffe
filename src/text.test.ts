import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { oneLine } from './text.ts';

describe('oneLine', () => {
  const cases: readonly (readonly [name: string, text: string, max: number, expected: string])[] = [
    ['leaves a short line as it is', 'all is well', 20, 'all is well'],
    ['leaves a line that just fits', 'abcde', 5, 'abcde'],
    ['ends a cut with an ellipsis within the limit', 'abcdef', 5, 'abcd…'],
    ['makes lines one line', ' a\r\n\tb\u2028c ', 20, 'a b c'],
    ['drops control characters and terminal escapes', 'a\u001b[31mb\u0000c', 20, 'a [31mb c'],
    ['drops marks that turn text around', 'a\u202eb\u2066c', 20, 'a b c'],
    ['keeps joiners, which are spelling', 'می\u200cخواهم', 20, 'می\u200cخواهم'],
    ['does not split a character of two units', 'abc\u{1f41b}def', 5, 'abc…'],
    ['keeps a character of two units that fits', 'abc\u{1f41b}def', 6, 'abc\u{1f41b}…'],
    ['replaces half a character', 'a\ud83db', 20, 'a\ufffdb'],
    ['keeps no space before the ellipsis', 'abcd efgh', 6, 'abcd…'],
  ];
  for (const [name, text, max, expected] of cases) {
    it(name, () => assert.equal(oneLine(text, max), expected));
  }

  it('is cheap for text of megabytes', () => {
    const line = oneLine('\u0000x'.repeat(5_000_000), 140);
    assert.equal(line.length, 140);
  });
});
