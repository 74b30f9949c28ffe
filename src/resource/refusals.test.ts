// Events as the Job controller of 1.34 writes them.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { KubeObject } from '../api/object.ts';
import { explainRefusal, needsMore } from './refusals.ts';

const early = '2026-11-22T16:00:00Z';
const late = '2026-11-22T16:01:00Z';
const exceeded = 'is forbidden: exceeded quota: small, requested: pods=1, used: pods=4, limited: pods=4';

function event(message: unknown, time: object = { lastTimestamp: early }): KubeObject {
  return { apiVersion: 'v1', kind: 'Event', metadata: { name: 'x.1' }, reason: 'FailedCreate', message, ...time };
}

function pod(phase: string, creationTimestamp: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x', creationTimestamp }, status: { phase } };
}

const refused = event(`Error creating: pods "build-abc-x7k2p" ${exceeded}`);
const explanation = {
  reason: 'PodsRefused',
  message: `The Job gets no pods, and is tried again: pods "build-abc-…" ${exceeded}.`,
};

describe('explainRefusal', () => {
  it('is in the API server’s words, and the same for each attempt', () => {
    assert.deepEqual(explainRefusal([refused], []), explanation);
    const again = event(`Error creating: pods "build-abc-99zzz" ${exceeded}`);
    assert.deepEqual(explainRefusal([again], []), explanation);
  });

  const cases: [string, readonly KubeObject[], boolean][] = [
    ['no pod', [], true],
    ['a pod that has failed before', [pod('Failed', '2026-11-22T15:59:00Z')], true],
    ['a pod that came since, and has failed', [pod('Failed', late)], false],
    ['a pod that waits', [pod('Pending', '2026-11-22T15:59:00Z')], false],
  ];
  for (const [name, pods, expected] of cases) {
    it(`is ${expected ? 'given' : 'not given'} where there is ${name}`, () =>
      assert.equal(explainRefusal([refused], pods) !== undefined, expected));
  }

  for (const [name, time] of [
    ['lastTimestamp', { lastTimestamp: late }],
    ['eventTime', { eventTime: late, lastTimestamp: null }],
    ['series', { eventTime: early, series: { count: 2, lastObservedTime: late } }],
  ] as const) {
    it(`is the newest by ${name}`, () => {
      const newest = explainRefusal([event('newest', time), refused], []);
      assert.match(newest?.message ?? '', /: newest\.$/);
      assert.deepEqual(explainRefusal([refused, event('newest', time)], []), newest);
    });
  }

  it('bears anything for an Event', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string(), (json, message) => {
        const events = [event(json), event(message, { lastTimestamp: json }), { ...refused, series: json }];
        const { message: said = '' } = explainRefusal(events, []) ?? {};
        assert.ok(said.length < 2100);
      }),
    );
  });

  it('is nothing without an Event', () => {
    assert.equal(explainRefusal([], []), undefined);
    assert.ok(needsMore([]));
  });
});
