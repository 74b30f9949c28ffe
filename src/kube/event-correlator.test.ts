import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EventCorrelator } from './event-correlator.ts';
import type { EventInput, EventRecord } from './event-record.ts';

const start = Date.parse('2026-11-22T12:00:00Z');
const minute = 60_000;

function input(message: string, name = 'app', reason = 'NotMatched'): EventInput {
  const metadata = { name, namespace: 'team', uid: `uid-${name}`, resourceVersion: '7' };
  return { about: { apiVersion: 'example.com/v1', kind: 'Thing', metadata }, type: 'Normal', reason, message };
}

describe('EventCorrelator', () => {
  it('makes an Event as kubectl describe wants it', () => {
    const event = new EventCorrelator('kube-git').correlate(input('no branch fits'), start);
    assert.match(event?.metadata.name ?? '', /^app\.[0-9a-f]{16}$/);
    const { metadata: _, ...rest } = event as EventRecord;
    assert.deepEqual(rest, {
      apiVersion: 'v1',
      kind: 'Event',
      involvedObject: {
        apiVersion: 'example.com/v1',
        kind: 'Thing',
        namespace: 'team',
        name: 'app',
        uid: 'uid-app',
        resourceVersion: '7',
      },
      type: 'Normal',
      reason: 'NotMatched',
      message: 'no branch fits',
      source: { component: 'kube-git' },
      reportingComponent: 'kube-git',
      reportingInstance: '',
      firstTimestamp: '2026-11-22T12:00:00Z',
      lastTimestamp: '2026-11-22T12:00:00Z',
      count: 1,
    });
  });

  it('counts a repeat within ten minutes on the first Event, and begins a new one later', () => {
    const correlator = new EventCorrelator('kube-git');
    const first = correlator.correlate(input('a'), start);
    const second = correlator.correlate(input('a'), start + 9 * minute);
    assert.equal(second?.metadata.name, first?.metadata.name);
    assert.deepEqual([second?.count, second?.lastTimestamp], [2, '2026-11-22T12:09:00Z']);
    const third = correlator.correlate(input('a'), start + 20 * minute);
    assert.notEqual(third?.metadata.name, first?.metadata.name);
    assert.equal(third?.count, 1);
  });

  it('combines what comes after ten different messages of one object and reason', () => {
    const correlator = new EventCorrelator('kube-git');
    const events = Array.from({ length: 14 }, (_, n) => correlator.correlate(input(`push ${n}`), start + n));
    assert.equal(new Set(events.map((event) => event?.metadata.name)).size, 11);
    assert.equal(events[9]?.message, 'push 9');
    assert.equal(events[10]?.message, '(combined from similar events): push 10');
    assert.deepEqual([events[13]?.message, events[13]?.count], ['(combined from similar events): push 13', 4]);
    assert.equal(correlator.correlate(input('push 99', 'app', 'Other'), start)?.message, 'push 99');
  });

  it('lets 25 writes about one object through, then one in five minutes; other objects have their own', () => {
    const correlator = new EventCorrelator('kube-git');
    const writes = (count: number, at: number, name?: string): number =>
      Array.from({ length: count }, (_, n) => correlator.correlate(input(`push ${n}`, name), at)).filter(Boolean)
        .length;
    assert.equal(writes(1000, start), 25);
    assert.equal(writes(1000, start + 5 * minute), 1);
    assert.equal(writes(1000, start + 16 * minute), 2);
    assert.equal(writes(3, start, 'other'), 3);
  });

  it('still counts what it does not let through', () => {
    const correlator = new EventCorrelator('kube-git');
    for (let n = 0; n < 100; n++) correlator.correlate(input('same'), start);
    assert.equal(correlator.correlate(input('same'), start + 5 * minute)?.count, 101);
  });

  it('cuts a message to 1024 characters, and not within one', () => {
    const long = new EventCorrelator('kube-git').correlate(input(`${'x'.repeat(1022)}😀${'y'.repeat(50)}`), start);
    assert.equal(long?.message, `${'x'.repeat(1022)}…`);
    const combined = new EventCorrelator('kube-git').correlate(input('z'.repeat(2000)), start);
    assert.equal(combined?.message.length, 1024);
  });

  it('gives two Events of one millisecond two names, and a long object name one that fits', () => {
    const correlator = new EventCorrelator('kube-git');
    const names = ['a', 'b'].map(
      (message) => correlator.correlate(input(message, 'n'.repeat(253)), start)?.metadata.name ?? '',
    );
    assert.notEqual(names[0], names[1]);
    assert.ok(names.every((name) => name.length === 253));
  });
});
