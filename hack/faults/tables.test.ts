// The tables of the proof say what was found, and do not hide what was not.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Row } from '../../test/faults/results.ts';
import { summaryOf, tablesOf } from './tables.ts';

const row = (order: number, name: string, column: string, more: Partial<Row> = {}): Row => ({
  ...{ table: 'crash', order, row: name, column, met: true, violations: [] },
  ...more,
});

const rows = [
  row(2, 'POST jobs #1', 'after the answer', { violations: ['S1: 2 children', 'S2: lost', 'S1: again'] }),
  row(0, 'delivery #1', 'before it is sent'),
  row(1, 'delivery #1', 'after the answer', { met: false }),
];

it('a table has the rows in their order, who spoke, a dash for what was not met, and nothing for what was not tried', () => {
  assert.equal(
    tablesOf(rows),
    [
      '### Killed at each outside call',
      '',
      '|  | before it is sent | after the answer |',
      '| --- | --- | --- |',
      '| delivery #1 | ok | – |',
      '| POST jobs #1 |  | **S1, S2** |',
    ].join('\n'),
  );
});

it('the summary counts what was met, lost and doubled', () => {
  const text = summaryOf({ size: 'short', seed: '1', started: 0, seconds: 120, rows });
  assert.equal(
    text,
    '2 scenarios (short, seed 1) in 2 minutes on 1970-01-01: 1 lost, 1 doubled, 1 with anything wrong.',
  );
});
