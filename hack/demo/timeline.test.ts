import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatHeading, formatLine, type Line, styleFor } from './timeline.ts';

const line: Line = { elapsedMs: 1234, what: 'run', detail: 'Succeeded: Completed', mood: 'good' };
const esc = '\x1b';

describe('demo timeline', () => {
  it('aligns times and details in a pipe, without any colour', () => {
    const style = { colour: false };
    const late = { elapsedMs: 120_000, what: 'delivery answered', detail: '202', mood: 'neutral' } as const;
    assert.equal(formatLine(line, style), '    1.23 s  run                Succeeded: Completed');
    assert.equal(formatLine(late, style), '  120.00 s  delivery answered  202');
    assert.equal(formatHeading('First push', style), '\nFirst push');
  });

  it('colours the words and keeps the alignment on a terminal', () => {
    const style = { colour: true };
    const text = formatLine(line, style);
    assert.equal(text, `${esc}[2m    1.23 s${esc}[0m  ${esc}[32mrun               ${esc}[0m Succeeded: Completed`);
    const plain = text.replaceAll(new RegExp(`${esc}\\[\\d+m`, 'g'), '');
    assert.equal(plain, formatLine(line, { colour: false }));
  });

  it('keeps the text of others on one line and takes its power over the terminal', () => {
    const hostile = { ...line, detail: `one\r\n two${esc}[2J\u202e\x07` };
    assert.equal(formatLine(hostile, { colour: false }), '    1.23 s  run                one | two·[2J··');
  });

  const styles = [
    ['a terminal', { isTTY: true }, {}, true],
    ['a pipe', {}, {}, false],
    ['a terminal with NO_COLOR', { isTTY: true }, { NO_COLOR: '1' }, false],
    ['a terminal with an empty NO_COLOR', { isTTY: true }, { NO_COLOR: '' }, true],
    ['a dumb terminal', { isTTY: true }, { TERM: 'dumb' }, false],
  ] as const;
  for (const [where, out, env, colour] of styles) {
    it(`${colour ? 'colours' : 'does not colour'} on ${where}`, () => {
      assert.deepEqual(styleFor(out, env), { colour });
    });
  }
});
