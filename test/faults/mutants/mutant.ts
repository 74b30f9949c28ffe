// What a mutant is: a program that breaks a promise on purpose. The tables are beside this file.
import type { Oracle } from '../oracles.ts';
import type { Edit } from '../program.ts';
import type { Story } from '../scenario.ts';

export interface Mutant {
  /** The promise as it is broken. */
  readonly name: string;
  readonly edits: readonly Edit[];
  /** Under which it shows, in words. */
  readonly fault: string;
  /** That fault. The program as it is must come through it. */
  readonly story: () => Omit<Story, 'program'>;
  /** Who has to notice; others may. */
  readonly caughtBy: Oracle;
}

/** A mutant that never comes to an end need not be waited for longer than the right program takes on a slow machine. */
export const patienceMs = 15_000;
