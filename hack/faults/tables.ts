// The tables of the proof in Markdown. Pure; called by report.ts.
import type { Row } from '../../test/faults/results.ts';
import type { Report } from './report.ts';

/** What each table is about. */
const titles: Readonly<Record<string, string>> = {
  crash: 'Killed at each outside call',
  'crash, redelivered': 'The same, with a redelivery while it is dead and another one after',
  'crash, Job ends': 'The same, and the Job ends while it is dead',
  'crash, Job ends, TTL 0': 'The same, and the manifest wants its Job deleted as soon as it ends',
  'crash, git program': 'The same, where the git program is run (-fetch=git)',
  terminated: 'Asked to end (SIGTERM) at each outside call',
  'crash, unheard': 'Killed at each step of finding a push that no webhook told of',
  'crash-twice': 'Killed again while it recovers',
  unobserved: 'Watch events lost, repeated, late, garbled',
  silent: 'A watch that says nothing for ten minutes',
  stale: 'An API server that lists what was some versions ago',
  'not-found': 'An API server that does not find what was just created',
  mutants: 'Promises broken on purpose, and who noticed',
};

export function tablesOf(rows: readonly Row[]): string {
  const tables = Map.groupBy(rows, ({ table }) => table);
  return [...tables].map(([name, own]) => `### ${titles[name] ?? name}\n\n${tableOf(own)}`).join('\n\n');
}

/** Rows and columns in the order of the scenarios. */
function tableOf(unordered: readonly Row[]): string {
  const rows = unordered.toSorted((a, b) => a.order - b.order);
  const columns = [...new Set(rows.map(({ column }) => column))].sort(byPlace);
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const lines = [...Map.groupBy(rows, ({ row }) => row)].map(([row, own]) =>
    line([row, ...columns.map((column) => cellOf(own.filter((one) => one.column === column)))]),
  );
  return [line(['', ...columns]), line(['---', ...columns.map(() => '---')]), ...lines].join('\n');
}

/** Moments in the order of time, numbers in theirs; the others stay as they are. */
function byPlace(a: string, b: string): number {
  const placeOf = (column: string): number => {
    const moment = ['before it is sent', 'applied, answer lost', 'after the answer'].findIndex((end) =>
      column.endsWith(end),
    );
    return moment >= 0 ? moment : Number.parseInt(column, 10);
  };
  return placeOf(a) - placeOf(b) || 0;
}

/** Empty where nothing was tried, "–" where the fault was not met. */
function cellOf(rows: readonly Row[]): string {
  const bad = rows.flatMap(({ violations }) => violations);
  if (bad.length > 0) return `**${oraclesIn(bad).join(', ')}**`;
  const met = rows.filter((row) => row.met);
  if (rows.length > 0 && met.length === 0) return '–';
  return [...new Set(met.map(({ found = 'ok' }) => found))].join(', ');
}

function oraclesIn(violations: readonly string[]): readonly string[] {
  return [...new Set(violations.map((violation) => violation.slice(0, violation.indexOf(':'))))].sort();
}

export function summaryOf({ size, seed, started, seconds, rows }: Report): string {
  const faults = rows.filter(({ met }) => met);
  const count = (words: RegExp): number =>
    faults.filter(({ violations }) => violations.some((violation) => words.test(violation))).length;
  const bad = rows.filter(({ violations }) => violations.length > 0);
  return [
    `${faults.length} scenarios (${size}, seed ${seed}) in ${Math.round(seconds / 60)} minutes on ${new Date(started).toISOString().slice(0, 10)}:`,
    `${count(/^S[23]:/)} lost, ${count(/^S1:/)} doubled, ${bad.length} with anything wrong.`,
  ].join(' ');
}
