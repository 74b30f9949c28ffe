// The edits of the mutants still fit the sources, and each oracle has a mutant that it has to catch. `npm run faults` runs them.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { withJumpingClock } from './jumping-clock.ts';
import { others } from './mutants/around.ts';
import { losingOrDoubling } from './mutants/once.ts';
import { oracles } from './oracles.ts';
import { type Edit, edited } from './program.ts';

const root = join(import.meta.dirname, '../..');
const mutants = [...losingOrDoubling, ...others];

async function apply(edits: readonly Edit[]): Promise<void> {
  for (const edit of edits) edited(await readFile(join(root, edit.file), 'utf8'), edit);
}

describe('a mutant', () => {
  for (const { name, edits } of mutants) {
    it(`that ${name} can be made of the sources`, () => apply(edits));
  }

  it('is there for every oracle', () => {
    assert.deepEqual([...new Set(mutants.map(({ caughtBy }) => caughtBy))].sort(), Object.keys(oracles));
  });

  it('whose text has gone from the source fails', () => {
    assert.throws(
      () => edited('const a = 1;', { file: 'x.ts', find: 'const b', replace: '' }),
      /x.ts has this 0 times/,
    );
    assert.throws(() => edited('a a', { file: 'x.ts', find: 'a', replace: '' }), /2 times/);
  });
});

it('the jumping clock can be put into the program', () => apply(withJumpingClock));
