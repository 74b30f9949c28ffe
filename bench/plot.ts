// Figures as a plot: bars for what was measured and for its reference, as SVG. Called by page.ts. Drawn by Apache ECharts, which
// needs no browser for it.
import { type EChartsOption, init } from 'echarts';
import type { Figure, Unit } from './figure.ts';
import type { Measured } from './results.ts';

const width = 860;
const barHeight = 17;
const around = { top: 56, right: 90, bottom: 34, left: 300 };

/** With fewer bars beside references than this, what has none is shown as well. */
const enough = 3;

/**
 * Of the figures with a reference, or of all where few have one, those in the unit that most of them have; undefined where that is
 * fewer than two. The scale is logarithmic, so that bars a hundred times as long are seen beside each other.
 */
export function plotOf({ title, figures }: Measured): string | undefined {
  const compared = ofOneUnit(figures.filter(({ reference }) => reference !== undefined));
  const shown = compared.length < enough ? ofOneUnit(figures) : compared;
  if (shown.length < 2) return undefined;
  const height = around.top + around.bottom + shown.length * barHeight * 2.6;
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  chart.setOption(optionOf(title, shown));
  const svg = chart.renderToSVGString();
  chart.dispose();
  return `${svg.replace('>', `>\n<title>${title}</title>`)}\n`; // for who cannot see it; none of our titles has a sign that XML reads
}

function ofOneUnit(figures: readonly Figure[]): readonly Figure[] {
  const positive = figures.filter(({ sample }) => sample.median > 0); // the others have no place on the scale
  const byUnit = Map.groupBy(positive, ({ unit }) => unit);
  return [...byUnit.values()].sort((a, b) => b.length - a.length)[0] ?? [];
}

function optionOf(title: string, figures: readonly Figure[]): EChartsOption {
  const unit = figures[0]?.unit ?? 'ms';
  const series = (name: string, color: string, values: readonly (number | undefined)[]) => ({
    ...{ name, type: 'bar' as const, barWidth: barHeight, itemStyle: { color } },
    data: values.map((value) => (value === undefined ? '-' : Number(value.toPrecision(3)))), // '-': no bar
    label: { show: true, position: 'right' as const, formatter: '{c}' },
  });
  return {
    ...{ animation: false, backgroundColor: '#ffffff', grid: around },
    textStyle: { fontFamily: 'sans-serif' },
    title: { text: title, left: 12, top: 8, textStyle: { fontSize: 14 } },
    legend: { top: 30, left: 12, data: ['kube-git', 'reference'] },
    xAxis: { type: 'log', name: nameOf(unit), nameLocation: 'middle', nameGap: 22 },
    yAxis: {
      ...{ type: 'category', inverse: true, data: figures.map(labelOf) },
      axisLabel: { width: around.left - 20, overflow: 'break', fontSize: 11 },
    },
    series: [
      series(
        'kube-git',
        '#2563eb',
        figures.map(({ sample }) => sample.median),
      ),
      series(
        'reference',
        '#9ca3af',
        figures.map(({ reference }) => reference?.sample.median),
      ),
    ],
  };
}

function labelOf({ name, reference }: Figure): string {
  return reference === undefined ? name : `${name}\nbeside ${reference.name}`;
}

function nameOf(unit: Unit): string {
  return unit === 'ms' ? 'milliseconds' : unit;
}
