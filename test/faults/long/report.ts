// What a long run found, for people and for docs/reliability.md. Pure but for the last function.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { elapsed } from '../../env/progress.ts';
import type { Violation } from './checker.ts';
import type { Sending } from './client.ts';
import type { Holding } from './hygiene.ts';
import type { State } from './long-run.ts';
import { type LongOptions, soakPerSecond } from './options.ts';
import type { Slice } from './slices.ts';

const root = join(import.meta.dirname, '../../..');

export interface LongReport {
  readonly options: LongOptions;
  readonly date: string;
  readonly minutes: { readonly pushing: number; readonly running: number; readonly soak: number };
  readonly counts: {
    readonly pushes: number;
    readonly answers: { readonly ok: number; readonly fail: number; readonly unknown: number };
    readonly repeats: number;
    readonly runs: number;
    readonly jobs: number;
    readonly statuses: number;
    readonly messages: number;
    readonly lost: number;
    readonly doubled: number;
    /** Of the API server, by method and resource. */
    readonly calls: Readonly<Record<string, number>>;
    readonly p99Ms: number;
  };
  readonly strikes: Readonly<Record<string, number>>;
  readonly holdings: readonly { readonly replica: string; readonly before: Holding; readonly after: Holding }[];
  /** Of the soak. */
  readonly slices: readonly Slice[];
  readonly mostMemoryMiB: number;
  /** A sentence each; empty when all is well. */
  readonly violations: readonly string[];
}

export function countsOf(
  { world, ledger, clients }: State,
  sendings: readonly Sending[],
  violations: readonly Violation[],
): LongReport['counts'] {
  const attempts = sendings.flatMap((sending) => sending.attempts);
  const answered = (wanted: string): number => attempts.filter(({ result }) => result === wanted).length;
  const of = (oracle: string): number => violations.filter((violation) => violation.oracle === oracle).length;
  const times = attempts.filter(({ result }) => result === 'ok').map(({ ms }) => ms);
  return {
    pushes: sendings.length,
    answers: { ok: answered('ok'), fail: answered('fail'), unknown: answered('unknown') },
    repeats: clients.reduce((sum, { repeats }) => sum + repeats, 0),
    runs: ledger.runs.size,
    jobs: [...ledger.children.values()].reduce((sum, { size }) => sum + size, 0),
    statuses: world.forge.statuses.length,
    messages: world.forge.messages.length,
    ...{ lost: of('lost'), doubled: of('doubled') },
    calls: Object.fromEntries(world.trail.calls),
    p99Ms: times.sort((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? 0,
  };
}

/** For docs/reliability.md: the load, and the soak, as far as there was one. */
export function markdownOf(report: LongReport): string {
  return sectionsOf(report)
    .map(({ text }) => text)
    .join('\n\n');
}

/** Each has its place in docs/reliability.md. */
function sectionsOf(report: LongReport): readonly { readonly name: string; readonly text: string }[] {
  return [
    ...(report.options.pushes > 0 ? [{ name: 'long run', text: loadOf(report) }] : []),
    ...(report.slices.length > 0 ? [{ name: 'soak', text: soakOf(report) }] : []),
  ];
}

function loadOf(report: LongReport): string {
  const { options, counts, minutes, strikes } = report;
  const { answers } = counts;
  const rows = [
    ...beginning(report),
    [
      'Unique pushes',
      `${counts.pushes} to ${options.gitHooks} GitHooks, ${options.connections} at a time, to ${options.replicas} replicas`,
    ],
    ['Answers', `${answers.ok} ok, ${answers.fail} refused, ${answers.unknown} none; ${counts.repeats} sent again`],
    ['Time', `${duration(minutes.pushing)} until all were taken, ${duration(minutes.running)} until all were told`],
    ['Faults', `${sum(strikes)}, until ${options.underFire * 100} % of the runs were over`],
    ...outcome(report),
    ['Calls of the API server for a run', (sum(counts.calls) / Math.max(1, counts.runs)).toFixed(1)],
    ['Answer to a delivery, 99 of 100', `${counts.p99Ms} ms`],
    ['Most memory of a replica', `${report.mostMemoryMiB} MiB`],
  ];
  return [
    table(['Long run', ''], rows),
    table(
      ['Fault', 'times'],
      Object.entries(strikes)
        .sort()
        .map(([kind, count]) => [kind, `${count}`]),
    ),
    holdingsTable(report),
  ].join('\n\n');
}

function soakOf(report: LongReport): string {
  const { options, minutes, strikes, slices } = report;
  const rows = [
    ...beginning(report),
    ['Time', `${duration(minutes.soak)}, a push every ${1 / soakPerSecond} s to ${options.gitHooks} GitHooks`],
    ['Faults', `${sum(strikes)}`],
    ...outcome(report),
  ];
  const memory = table(
    ['From minute', 'memory of a replica, median', 'most', 'open files, median'],
    slices.map((slice) => [
      `${slice.fromMinute}`,
      `${slice.memoryMiB} MiB`,
      `${slice.mostMemoryMiB} MiB`,
      `${slice.files}`,
    ]),
  );
  return [table(['Soak', ''], rows), holdingsTable(report), memory].join('\n\n');
}

function beginning({ date, options }: LongReport): string[][] {
  return [
    ['Date', date],
    ['Seed', `${options.seed}`],
  ];
}

function outcome({ counts, violations }: LongReport): string[][] {
  return [
    ['Runs, Jobs', `${counts.runs}, ${counts.jobs}`],
    ['**Lost**', `**${counts.lost}**`],
    ['**Doubled**', `**${counts.doubled}**`],
    ['Other violations', `${violations.length - counts.lost - counts.doubled}`],
  ];
}

function holdingsTable({ holdings }: LongReport): string {
  return table(
    ['Replica', 'memory, before and after', 'open files', 'child processes', 'temporary files'],
    holdings.map(({ replica, before, after }) => [
      replica,
      `${before.memoryMiB} → ${after.memoryMiB} MiB`,
      `${before.files} → ${after.files}`,
      `${before.children} → ${after.children}`,
      `${before.temporary} → ${after.temporary}`,
    ]),
  );
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

function duration(minutes: number): string {
  return elapsed(minutes * 60_000);
}

/** With its columns in line, as the formatter wants it. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(3, title.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, at) => (cells[at] ?? '').padEnd(width)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

/** Writes dist/long-run.json and dist/long-run.md; with `keep` also the sections between their marks in docs/reliability.md. */
export async function writeReport(report: LongReport, keep: boolean): Promise<void> {
  const folder = join(root, 'dist');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'long-run.json'), `${JSON.stringify(report, undefined, 2)}\n`);
  await writeFile(join(folder, 'long-run.md'), `${markdownOf(report)}\n`);
  if (!keep) return;
  const page = join(root, 'docs/reliability.md');
  const text = await readFile(page, 'utf8');
  await writeFile(page, sectionsOf(report).reduce(withSection, text));
}

function withSection(page: string, { name, text }: { readonly name: string; readonly text: string }): string {
  const [from, to] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`];
  const [begin, end] = [page.indexOf(from), page.indexOf(to)];
  if (begin < 0 || end < begin) throw new Error(`docs/reliability.md has no lines ${from} and ${to}.`);
  return `${page.slice(0, begin)}${from}\n\n${text}\n\n${page.slice(end)}`;
}
