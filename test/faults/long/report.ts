// What a long run found, for people and for docs/reliability.md. Pure but for the last function.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { elapsed } from '../../env/progress.ts';
import type { Violation } from './checker.ts';
import type { Sending } from './client.ts';
import type { Holding } from './hygiene.ts';
import type { State } from './long-run.ts';
import type { LongOptions } from './options.ts';
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

/** For docs/reliability.md. */
export function markdownOf(report: LongReport): string {
  const { options, counts, minutes, strikes, holdings } = report;
  const { answers } = counts;
  const rows = [
    ['Date', report.date],
    ['Seed', `${options.seed}`],
    [
      'Unique pushes',
      `${counts.pushes} to ${options.gitHooks} GitHooks, ${options.connections} at a time, to ${options.replicas} replicas`,
    ],
    ['Answers', `${answers.ok} ok, ${answers.fail} refused, ${answers.unknown} none; ${counts.repeats} sent again`],
    [
      'Time',
      `${duration(minutes.pushing)} until all were taken, ${duration(minutes.running)} until all were told, soak ${duration(minutes.soak)}`,
    ],
    ['Faults', `${sum(strikes)}, until ${options.underFire * 100} % of the runs were over`],
    ['Runs, Jobs', `${counts.runs}, ${counts.jobs}`],
    ['**Lost**', `**${counts.lost}**`],
    ['**Doubled**', `**${counts.doubled}**`],
    ['Other violations', `${report.violations.length - counts.lost - counts.doubled}`],
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
    table(
      ['Replica', 'memory, before and after', 'open files', 'child processes', 'temporary files'],
      holdings.map(({ replica, before, after }) => [
        replica,
        `${before.memoryMiB} → ${after.memoryMiB} MiB`,
        `${before.files} → ${after.files}`,
        `${before.children} → ${after.children}`,
        `${before.temporary} → ${after.temporary}`,
      ]),
    ),
    ...(report.slices.length > 0 ? [soakTable(report.slices)] : []),
  ].join('\n\n');
}

function soakTable(slices: readonly Slice[]): string {
  return table(
    ['Soak, from minute', 'memory of a replica, median', 'most', 'open files, median'],
    slices.map((slice) => [
      `${slice.fromMinute}`,
      `${slice.memoryMiB} MiB`,
      `${slice.mostMemoryMiB} MiB`,
      `${slice.files}`,
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

const markers = ['<!-- long run -->', '<!-- end of long run -->'] as const;

/** Writes dist/long-run.json and dist/long-run.md; with `keep` also the section between the markers in docs/reliability.md. */
export async function writeReport(report: LongReport, keep: boolean): Promise<void> {
  const folder = join(root, 'dist');
  await mkdir(folder, { recursive: true });
  const section = `${markers[0]}\n\n${markdownOf(report)}\n\n${markers[1]}`;
  await writeFile(join(folder, 'long-run.json'), `${JSON.stringify(report, undefined, 2)}\n`);
  await writeFile(join(folder, 'long-run.md'), `${section}\n`);
  if (!keep) return;
  const page = join(root, 'docs/reliability.md');
  const text = await readFile(page, 'utf8');
  const [from, to] = [text.indexOf(markers[0]), text.indexOf(markers[1])];
  if (from < 0 || to < from) throw new Error(`docs/reliability.md has no lines ${markers.join(' and ')}.`);
  await writeFile(page, text.slice(0, from) + section + text.slice(to + markers[1].length));
}
