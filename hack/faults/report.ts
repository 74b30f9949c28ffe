// What `npm run faults` says at its end: one table for each file of scenarios, and how many were lost and doubled.
import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Row } from '../../test/faults/results.ts';
import { root } from '../run-tests.ts';
import { summaryOf, tablesOf } from './tables.ts';

export interface Report {
  readonly size: string;
  readonly seed: string;
  /** Milliseconds since 1970. */
  readonly started: number;
  readonly seconds: number;
  readonly rows: readonly Row[];
}

const page = join(root, 'docs/reliability.md');
const data = join(root, 'docs/reliability.json');
const biome = join(root, 'node_modules/@biomejs/biome/bin/biome');
const marks = { begin: '<!-- npm run faults begins -->', end: '<!-- npm run faults ends -->' };

/** None where no scenario came to its end. */
export async function readRows(file: string): Promise<readonly Row[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Row]));
}

export function showReport(report: Report): void {
  console.log(`\n${tablesOf(report.rows)}\n\n${summaryOf(report)}`);
}

/** Writes the tables into docs/reliability.md, between the marks, and what they are made of beside it. */
export async function keepReport(report: Report): Promise<void> {
  const text = await readFile(page, 'utf8');
  const [begin, end] = [text.indexOf(marks.begin), text.indexOf(marks.end)];
  if (begin < 0 || end < begin) throw new Error(`${page} does not have ${marks.begin} and ${marks.end}`);
  const made = `${marks.begin}\n\n${summaryOf(report)}\n\n${tablesOf(report.rows)}\n\n`;
  await writeFile(page, text.slice(0, begin) + made + text.slice(end));
  await writeFile(data, `${JSON.stringify(report, null, 1)}\n`);
  execFileSync(process.execPath, [biome, 'format', '--write', page, data], { stdio: 'inherit' });
}
