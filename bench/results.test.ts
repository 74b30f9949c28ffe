import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Figure, isReached, ratioOf, sampleOf, type Unit } from './figure.ts';
import { parseOptions } from './options.ts';
import { plotOf } from './plot.ts';
import { grown, type Results } from './results.ts';
import { tableOf } from './table.ts';

function figure(name: string, unit: Unit, value: number, reference?: number): Figure {
  const given = reference === undefined ? {} : { reference: { name: 'bare', sample: sampleOf([reference]) } };
  return { name, unit, sample: sampleOf([value]), ...given };
}

function results(...figures: Figure[]): Results {
  const group = { name: 'accept', title: 'Accepts', seconds: 1, figures };
  return { date: '2026-11-30', machine: 'a machine', command: 'npm run bench', groups: [group] };
}

describe('a sample', () => {
  it('has the median, the quartiles and the 99th of a hundred, between the nearest values', () => {
    const values = Array.from({ length: 101 }, (_, index) => 100 - index);
    assert.deepEqual(sampleOf(values), { median: 50, low: 25, high: 75, p99: 99, repeats: 101 });
    assert.deepEqual(sampleOf([1, 2]), { median: 1.5, low: 1.25, high: 1.75, p99: 1.99, repeats: 2 });
  });

  it('of nothing is a mistake', () => assert.throws(() => sampleOf([]), /nothing was measured/));
});

describe('a goal', () => {
  it('is of the ratio where there is a reference, else of the median', () => {
    assert.equal(isReached({ ...figure('a', 'ms', 100, 50), goal: { atMost: 2 } }), true);
    assert.equal(isReached({ ...figure('a', 'ms', 101, 50), goal: { atMost: 2 } }), false);
    assert.equal(isReached({ ...figure('a', 'MiB', 100), goal: { atMost: 2 } }), false);
    assert.equal(isReached({ ...figure('a', 'per second', 7, 10), goal: { atLeast: 0.7 } }), true);
    assert.equal(isReached(figure('a', 'ms', 100, 50)), undefined);
    assert.equal(ratioOf(figure('a', 'ms', 100, 50)), 2);
  });
});

describe('what got worse', () => {
  const of = (now: Figure, before: Figure) => grown(results(now), results(before)).map((one) => one.figure);

  it('is a time whose ratio grew, however fast the machine is', () => {
    assert.deepEqual(of(figure('push', 'ms', 300, 100), figure('push', 'ms', 20, 10)), ['push']);
    assert.deepEqual(of(figure('push', 'ms', 200, 100), figure('push', 'ms', 20, 10)), []);
    assert.deepEqual(of(figure('push', 'ms', 100, 100), figure('push', 'ms', 20, 10)), []);
  });

  it('is a rate whose ratio fell', () => {
    assert.deepEqual(of(figure('accepts', 'per second', 50, 100), figure('accepts', 'per second', 80, 100)), [
      'accepts',
    ]);
    assert.deepEqual(of(figure('accepts', 'per second', 80, 100), figure('accepts', 'per second', 50, 100)), []);
  });

  it('is memory or calls without a reference, but not a bare time', () => {
    assert.deepEqual(of(figure('calls', 'calls', 30), figure('calls', 'calls', 17)), ['calls']);
    assert.deepEqual(of(figure('idle', 'MiB', 100), figure('idle', 'MiB', 70)), ['idle']);
    assert.deepEqual(of(figure('step', 'ms', 100), figure('step', 'ms', 10)), []);
  });

  it('is nothing that was not measured before', () => {
    assert.deepEqual(of(figure('new', 'ms', 300, 100), figure('old', 'ms', 20, 10)), []);
  });
});

describe('the table', () => {
  it('has a row for each figure, and no column that is empty', () => {
    const goal = { ...figure('accepted', 'per second', 1234.5, 2000), goal: { atLeast: 0.7 } };
    assert.equal(
      tableOf([goal, figure('memory', 'MiB', 71.123)]),
      [
        '|          | median   | repeats | reference     | ratio | goal           |',
        '| -------- | -------- | ------- | ------------- | ----- | -------------- |',
        '| accepted | 1,235/s  | 1       | bare: 2,000/s | 0.617 | ≥ 0.7 ✗ missed |',
        '| memory   | 71.1 MiB | 1       |               |       |                |',
      ].join('\n'),
    );
  });
});

describe('the plot', () => {
  it('is an SVG with both bars of each figure that has a reference, and none without two of them', () => {
    const [group] = results(figure('one', 'ms', 3, 7), figure('two', 'ms', 5, 11), figure('alone', 'MiB', 1)).groups;
    const svg = plotOf(group!) ?? '';
    assert.match(svg, /^<svg /);
    for (const text of ['>one<', '>two<', '>7<', '>11<']) assert.ok(svg.includes(text), text);
    assert.ok(!svg.includes('alone'));
    assert.equal(plotOf({ ...group!, figures: [figure('one', 'ms', 3, 7)] }), undefined);
  });

  it('shows figures without a reference where few have one, but for those that are nothing', () => {
    const [group] = results(figure('one', 'ms', 3, 7), figure('step', 'ms', 5), figure('none', 'ms', 0)).groups;
    const svg = plotOf(group!) ?? '';
    for (const text of ['>one<', '>7<', '>step<']) assert.ok(svg.includes(text), text);
    assert.ok(!svg.includes('none<') && !svg.includes('undefined'));
  });
});

describe('the options', () => {
  it('are all groups, twenty repeats and the full size, unless told', () => {
    assert.deepEqual(parseOptions([], ['push']), { only: [], repeats: 20, size: 1, keep: false });
    const told = ['push', '--repeats', '3', '--size=0.1', '--keep'];
    assert.deepEqual(parseOptions(told, ['push']), { only: ['push'], repeats: 3, size: 0.1, keep: true });
  });

  for (const [argv, message] of [
    [['other'], /no group other/],
    [['--repeats', '0'], /--repeats/],
    [['--size', '2'], /--size/],
    [['--fast'], /--fast/],
  ] as const) {
    it(`are not ${argv.join(' ')}`, () => assert.throws(() => parseOptions(argv, ['push']), message));
  }
});
