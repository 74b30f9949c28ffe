// Every oracle is tried: on a program with a promise broken on purpose it must speak, and on the program as it is, under
// the very same fault, it must not.
import { test } from 'node:test';
import { others } from './mutants/around.ts';
import type { Mutant } from './mutants/mutant.ts';
import { losingOrDoubling } from './mutants/once.ts';
import { oracles } from './oracles.ts';
import { buildProgram } from './program.ts';
import { type Case, prove } from './results.ts';
import { play } from './scenario.ts';
import { atOnce } from './size.ts';

/** The oracles that spoke. */
function speakers(violations: readonly string[]): readonly string[] {
  return Object.keys(oracles).filter((oracle) => violations.some((violation) => violation.startsWith(`${oracle}:`)));
}

/** The program as it is: all is well. */
function control({ name, fault, story }: Mutant, program: string): Case {
  return {
    row: name,
    column: 'as it is',
    run: async (lane) => {
      const { violations } = await play(lane, { ...story(), program });
      return { met: true, found: `ok (${fault})`, violations };
    },
  };
}

/** The broken one is caught. */
function caught({ name, story, caughtBy }: Mutant, program: string): Case {
  return {
    row: name,
    column: 'broken so',
    run: async (lane) => {
      const { violations } = await play(lane, { ...story(), program });
      const found = speakers(violations);
      const missed = [`${caughtBy}: did not notice; what was noticed: ${violations.join('; ')}`];
      return { met: true, found: `caught by ${found.join(', ')}`, violations: found.includes(caughtBy) ? [] : missed };
    },
  };
}

test('every promise that is broken on purpose is noticed', { timeout: 1_800_000, concurrency: atOnce }, async (t) => {
  const program = await buildProgram(t);
  const cases: Case[] = [];
  // To work on one: a part of its name.
  const wanted = process.env['KUBEGIT_MUTANT'] ?? '';
  for (const mutant of [...losingOrDoubling, ...others].filter(({ name }) => name.includes(wanted))) {
    cases.push(control(mutant, program), caught(mutant, await buildProgram(t, mutant.edits)));
  }
  await prove(t, 'mutants', cases);
});
