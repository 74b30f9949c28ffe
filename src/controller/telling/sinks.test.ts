import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GitHookRunStatusSink } from '../../api/githookrun.ts';
import { TerminalError, WaitingError } from '../../errors.ts';
import { accepted, failed, isRefused, type Outdated, plan } from './sinks.ts';

const now = Date.parse('2026-01-01T00:00:00Z');
const sink = (fields: Partial<GitHookRunStatusSink>): GitHookRunStatusSink => ({
  type: 'slack',
  name: 'team',
  ...fields,
});

describe('plan', () => {
  const later = '2026-01-01T00:00:05Z';
  const cases: [string, Partial<GitHookRunStatusSink>, Outdated, ReturnType<typeof plan>][] = [
    ['nothing to tell', {}, 'nothing', { kind: 'done' }],
    ['something new', { desired: 'Started' }, 'nothing', { kind: 'send', state: 'Started' }],
    ['told already', { desired: 'Started', told: 'Started' }, 'nothing', { kind: 'done' }],
    ['the end after the start', { desired: 'Failed', told: 'Started' }, 'nothing', { kind: 'send', state: 'Failed' }],
    [
      'nobody knows what was told',
      { desired: 'Failed', told: 'Unknown' },
      'nothing',
      { kind: 'send', state: 'Failed' },
    ],
    ['another run speaks', { desired: 'Superseded', told: 'Started' }, 'nothing', { kind: 'done' }],
    [
      'not yet time',
      { desired: 'Started', lastError: 'x', nextAttemptTime: later },
      'nothing',
      { kind: 'wait', ms: 5000 },
    ],
    [
      'not yet time, but the entry changed',
      { desired: 'Started', lastError: 'x', nextAttemptTime: later },
      'all',
      { kind: 'send', state: 'Started' },
    ],
    [
      'time again',
      { desired: 'Started', lastError: 'x', nextAttemptTime: '2025-12-31T00:00:00Z' },
      'nothing',
      { kind: 'send', state: 'Started' },
    ],
    ['refused for good', { desired: 'Started', lastError: 'x' }, 'nothing', { kind: 'done' }],
    [
      'not yet time, and kube-git has started anew',
      { desired: 'Started', lastError: 'x', nextAttemptTime: later },
      'refusal',
      { kind: 'wait', ms: 5000 },
    ],
    [
      'refused, and kube-git has started anew',
      { desired: 'Started', lastError: 'x' },
      'refusal',
      { kind: 'send', state: 'Started' },
    ],
    [
      'refused, but the entry changed',
      { desired: 'Started', lastError: 'x' },
      'all',
      { kind: 'send', state: 'Started' },
    ],
  ];
  for (const [name, fields, outdated, expected] of cases) {
    it(`${name}: ${expected.kind}`, () => assert.deepEqual(plan(sink(fields), now, outdated), expected));
  }
});

describe('accepted', () => {
  it('records what was told and clears the trouble before', () => {
    const before = sink({ desired: 'Succeeded', told: 'Started', attempts: 3, lastError: 'x', nextAttemptTime: 'y' });
    assert.deepEqual(
      accepted(before, 'Succeeded', before, 'T'),
      sink({ desired: 'Succeeded', told: 'Succeeded', toldTime: 'T' }),
    );
  });

  it('is unknown when another has told something else meanwhile', () => {
    const before = sink({ desired: 'Started' });
    const now = sink({ desired: 'Succeeded', told: 'Succeeded' });
    assert.equal(accepted(now, 'Started', before, 'T').told, 'Unknown');
  });
});

describe('failed', () => {
  const at = (result: GitHookRunStatusSink): number => Date.parse(result.nextAttemptTime ?? '') - now;

  it('waits twice as long each time, up to five minutes', () => {
    let current = sink({ desired: 'Started' });
    const waits: number[] = [];
    for (let i = 0; i < 10; i++) {
      current = failed(current, new WaitingError('SinkUnavailable', 'x'), now);
      waits.push(at(current) / 1000);
    }
    assert.deepEqual(waits, [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
    assert.equal(current.attempts, 10);
  });

  it('waits as long as the sink asks for', () => {
    assert.equal(
      at(failed(sink({ desired: 'Started' }), new WaitingError('RateLimited', 'x', { retryAfterMs: 90_000 }), now)),
      90_000,
    );
  });

  it('does not try again what a person must change', () => {
    const refused = failed(
      sink({ desired: 'Started', nextAttemptTime: 'y' }),
      new TerminalError('NotificationUnauthorized', 'bad token'),
      now,
    );
    assert.deepEqual(
      refused,
      sink({ desired: 'Started', attempts: 1, lastError: 'NotificationUnauthorized: bad token' }),
    );
    assert.ok(isRefused(refused));
  });

  it('keeps long errors short', () => {
    assert.equal(failed(sink({}), new Error('x'.repeat(5000)), now).lastError?.length, 1024);
  });
});
