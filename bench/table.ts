// Figures as a table in Markdown, for the terminal and for docs/performance.md. Pure.
import { type Figure, isReached, ratioOf, type Sample, type Unit } from './figure.ts';

/** A row for each figure: its median and quartiles, the reference's median, their ratio, and the goal. */
export function tableOf(figures: readonly Figure[]): string {
  const rows = [['', 'median', 'quartiles', 'p99', 'repeats', 'reference', 'ratio', 'goal'], ...figures.map(rowOf)];
  const used = (rows[0] ?? []).map((_, column) => rows.slice(1).some((row) => row[column] !== '') || column === 0);
  const shown = rows.map((row) => row.filter((_, column) => used[column]));
  const widths = (shown[0] ?? []).map((_, column) => Math.max(3, ...shown.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = line(widths.map((width) => '-'.repeat(width)));
  return [line(shown[0] ?? []), rule, ...shown.slice(1).map(line)].join('\n');
}

function rowOf(figure: Figure): string[] {
  const { name, unit, sample, reference } = figure;
  const ratio = ratioOf(figure);
  const isOne = sample.repeats === 1;
  return [
    name,
    amount(sample.median, unit),
    isOne ? '' : spread(sample),
    unit === 'ms' && !isOne ? short(sample.p99) : '',
    `${sample.repeats}`,
    reference ? `${reference.name}: ${amount(reference.sample.median, unit)}` : '',
    ratio === undefined ? '' : short(ratio),
    goalOf(figure),
  ];
}

function spread({ low, high }: Sample): string {
  return `${short(low)}–${short(high)}`;
}

function goalOf(figure: Figure): string {
  const { goal, unit } = figure;
  if (goal === undefined) return '';
  const isRatio = figure.reference !== undefined;
  const value = 'atLeast' in goal ? goal.atLeast : goal.atMost;
  const text = `${'atLeast' in goal ? '≥' : '≤'} ${isRatio ? short(value) : amount(value, unit)}`;
  return `${text} ${isReached(figure) ? '✓' : '✗ missed'}`;
}

/** With its unit. */
export function amount(value: number, unit: Unit): string {
  if (unit === 'calls' || unit === '') return short(value);
  return unit === 'per second' ? `${short(value)}/s` : `${short(value)} ${unit}`;
}

/** Three digits are as much as was measured. */
function short(value: number): string {
  const rounded = Number(value.toPrecision(3));
  return Math.abs(rounded) >= 1000 ? Math.round(value).toLocaleString('en') : `${rounded}`;
}
