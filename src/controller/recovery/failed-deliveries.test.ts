import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LoggedAttempt } from '../../notifier/delivery-log.ts';
import { failedDeliveries, sinceOf } from './failed-deliveries.ts';

const attempt = (guid: string, statusCode: number, deliveredMs: number, event = 'push'): LoggedAttempt => ({
  ...{ id: `${guid}-${deliveredMs}`, guid, statusCode, deliveredMs, event },
});

describe('failedDeliveries', () => {
  it('are those that no attempt brought to a 2xx, each once, oldest first', () => {
    const attempts = [
      attempt('later', 503, 60),
      attempt('taken at last', 202, 50),
      attempt('failed twice', 502, 40),
      attempt('failed twice', 0, 30),
      attempt('taken at last', 504, 20),
      attempt('taken', 200, 10),
    ];
    const failed = failedDeliveries(attempts, new Set());
    assert.deepEqual(
      failed.map(({ guid, id, deliveredMs }) => [guid, id, deliveredMs]),
      [
        ['failed twice', 'failed twice-40', 30],
        ['later', 'later-60', 60],
      ],
    );
  });

  it('are pushes only, and not those that were dealt with', () => {
    const attempts = [attempt('a', 500, 1, 'issues'), attempt('b', 500, 2), attempt('c', 401, 3)];
    const failed = failedDeliveries(attempts, new Set(['b']));
    assert.deepEqual(
      failed.map(({ guid }) => guid),
      ['c'],
    );
  });
});

describe('sinceOf', () => {
  const nowMs = Date.parse('2026-11-22T12:00:00Z');
  const time = (hours: number): string => new Date(nowMs - hours * 3_600_000).toISOString();
  for (const [name, cursor, createdTime, hours] of [
    ['three days where nothing was read yet', undefined, time(100), 72],
    ['the making of a younger GitHook', undefined, time(5), 5],
    ['15 minutes before what was read', time(2), time(100), 2.25],
    ['the making of a GitHook where that is later', time(5), time(5), 5],
    ['three days where what was read is older', time(90), time(100), 72],
    ['three days where the cursor is no time', 'x', time(100), 72],
  ] as const) {
    it(`goes back to ${name}`, () => {
      assert.equal(sinceOf({ cursor, createdTime }, nowMs), nowMs - hours * 3_600_000);
    });
  }
});
