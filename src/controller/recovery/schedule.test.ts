import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GitHook } from '../../api/githook.ts';
import { intervalOf, untilNext } from './schedule.ts';

const hook = (intervalSeconds?: number): GitHook =>
  ({ spec: intervalSeconds === undefined ? {} : { poll: { intervalSeconds } } }) as unknown as GitHook;

describe('intervalOf', () => {
  for (const [seconds, ms] of [
    [undefined, 600_000],
    [0, 0],
    [1, 30_000],
    [30, 30_000],
    [3_600, 3_600_000],
  ] as const) {
    it(`is ${ms} ms where the GitHook says ${seconds}`, () => assert.equal(intervalOf(hook(seconds), 600_000), ms));
  }
});

describe('untilNext', () => {
  const intervalMs = 600_000;
  it('is the same moment for all who ask for a repository, and another for another one', () => {
    const due = (repository: string, nowMs: number): number => nowMs + untilNext(repository, intervalMs, nowMs);
    const first = due('a', 1_000_000_000);
    assert.equal(due('a', first - 100_000), first);
    assert.notEqual(due('b', 1_000_000_000), first);
  });

  it('is at most an interval and a bit away, and never so near that a look counts twice', () => {
    for (let nowMs = 0; nowMs < 2 * intervalMs; nowMs += 997) {
      const ms = untilNext('a', intervalMs, 1_000_000_000 + nowMs);
      assert.ok(ms >= 5_000 && ms <= intervalMs + 5_000, `${ms}`);
    }
  });
});
