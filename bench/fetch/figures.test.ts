// What is said of what was measured: which goals there are, and beside what each figure stands.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isReached, ratioOf } from '../figure.ts';
import { figuresOf } from './figures.ts';
import type { Costs } from './measuring.ts';

const mebibyte = 1024 * 1024;

function costs(of: Pick<Costs, 'size' | 'way'> & Partial<Costs>): Costs {
  return { roundTripMs: 0, time: [10], wire: [4096], memory: [64 * mebibyte], disk: [0], ...of };
}

const measured = [
  costs({ size: '1 MB', way: 'depth 1' }),
  costs({ size: '150 MB', way: 'depth 1' }),
  costs({ size: '1 GB', way: 'depth 1', time: [11, 13, 12], memory: [80 * mebibyte] }),
  costs({ size: '150 MB', way: 'git clone --single-branch', time: [199] }),
  costs({ size: '150 MB', way: 'git clone --depth=1', time: [100] }),
  costs({ size: '150 MB', way: 'depth 1', roundTripMs: 80 }),
];

describe('the figures of fetches', () => {
  const figures = figuresOf(measured);
  const named = (name: string) => figures.find((figure) => figure.name === name)!;

  it('have names and units of their own', () => {
    assert.equal(new Set(figures.map(({ name }) => name)).size, figures.length);
    assert.equal(named('1 MB, depth 1, 0 ms: over the wire').sample.median, 4);
    assert.equal(named('1 GB, depth 1, 0 ms: most memory').sample.median, 80);
  });

  it('stand beside the whole clone of the same size and round-trip time', () => {
    const read = named('150 MB, depth 1, 0 ms: time');
    assert.equal(read.reference?.name, 'git clone --single-branch');
    assert.equal(ratioOf(read), 10 / 199);
    assert.equal(ratioOf(named('150 MB, git clone --depth=1, 0 ms: time')), 100 / 199);
    assert.equal(named('150 MB, depth 1, 80 ms: time').reference, undefined);
  });

  it('reach their goals or miss them', () => {
    const goals = figures.filter(({ goal }) => goal).map((figure) => [figure.name, isReached(figure)]);
    assert.deepEqual(goals, [
      ['150 MB, depth 1, 0 ms: time', false],
      ['1 GB beside 1 MB, depth 1, 0 ms: time', true],
      ['1 GB beside 1 MB, depth 1, 0 ms: most memory', false],
    ]);
  });
});
