// What came of each scenario, one line of JSON each in the file that KUBEGIT_FAULTS_RESULTS names: `npm run faults` makes its
// tables of them. Without that file nothing is kept.
import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import type { Lane } from './lane.ts';
import { Lanes } from './lane.ts';
import { atOnce } from './size.ts';

export interface Row {
  /** Which table; hack/faults/tables.ts has their titles. */
  readonly table: string;
  /** Its place in the table. */
  readonly order: number;
  readonly row: string;
  readonly column: string;
  /** Whether the fault was met at all: a point that did not come up is no proof. */
  readonly met: boolean;
  /** What was found, for a table whose cells say more than whether all is well. */
  readonly found?: string;
  readonly violations: readonly string[];
}

function keepRow(row: Row): void {
  const file = process.env['KUBEGIT_FAULTS_RESULTS'];
  if (file) appendFileSync(file, `${JSON.stringify(row)}\n`);
}

/** A scenario, and where its result belongs. */
export interface Case {
  readonly row: string;
  readonly column: string;
  /** What else tells it apart, for its name as a test. */
  readonly note?: string;
  run(lane: Lane): Promise<Pick<Row, 'met' | 'found' | 'violations'>>;
}

/** Of the faults, at least so many must have been met, unless told otherwise: fewer, and the names of the points have changed. */
const metShare = 0.8;

/** Runs the cases as subtests, several at a time, each in a lane of its own; each goes red with what it violates. */
export async function prove(t: TestContext, table: string, cases: readonly Case[], share = metShare): Promise<void> {
  const lanes = new Lanes(t);
  let met = 0;
  const one = (each: Case): Promise<void> =>
    t.test([table, each.row, each.column, each.note].filter(Boolean).join(': '), async () => {
      const result = await lanes.use((lane) => each.run(lane));
      if (result.met) met++;
      keepRow({ table, order: cases.indexOf(each), row: each.row, column: each.column, ...result });
      assert.deepEqual(result.violations, []);
    });
  const waiting = [...cases];
  const worker = async (): Promise<void> => {
    for (let each = waiting.shift(); each !== undefined; each = waiting.shift()) await one(each);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  assert.ok(met >= cases.length * share, `only ${met} of ${cases.length} faults were met`);
}
