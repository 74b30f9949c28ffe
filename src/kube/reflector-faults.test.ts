import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { summary } from '../../test/env/kube-fixture.ts';
import { type Fault, type Rule, times, when } from '../../test/env/proxy.ts';
import { type ReflectorFixture, reflectorFixture } from '../../test/env/reflector-fixture.ts';
import { waitFor } from '../../test/env/wait.ts';

const expiredStatus = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version: 1 (2)' };
const errorEvent = JSON.stringify({ type: 'ERROR', object: expiredStatus });
const [LIST, WATCH] = ['GET configmaps', 'WATCH configmaps'];

function onWatch(fault: Fault, count = 1): Rule {
  return when({ query: { watch: 'true' } }, times(count, fault));
}

function onList(fault: Fault, count = 1): Rule {
  return when((request) => !request.query.has('watch'), times(count, fault));
}

/** Whatever happened: it holds what a list says, and follows what comes next. */
async function stillWorks({ converged, put, remove, watching }: ReflectorFixture): Promise<void> {
  await converged();
  await watching();
  await put('later', 'x');
  await converged();
  await remove('later');
  await converged();
}

async function started(t: TestContext, rule: Rule): Promise<ReflectorFixture> {
  return reflectorFixture(t, {
    prepare: async ({ put, proxy }) => {
      await put('a', '1');
      proxy.rule(rule);
    },
  });
}

describe('Reflector and a watch that breaks', { concurrency: 6 }, () => {
  for (const [what, fault, why, requests] of [
    ['is reset before its first event', { kind: 'reset', afterBytes: 0 }, 'error', [LIST, WATCH, WATCH]],
    ['is reset within an event', { kind: 'reset', afterBytes: 100 }, 'error', [LIST, WATCH, WATCH]],
    ['ends within an event', { kind: 'truncate', bytes: 100 }, 'ended', [LIST, WATCH, WATCH]],
    ['cannot be made', { kind: 'drop' }, 'error', [LIST, WATCH, WATCH]],
    ['gets 500', { kind: 'answer', status: 500, body: 'oh' }, 'error', [LIST, WATCH, WATCH]],
    [
      'gets 410',
      { kind: 'answer', status: 410, body: JSON.stringify(expiredStatus) },
      'expired',
      [LIST, WATCH, LIST, WATCH],
    ],
    ['is told 410 in its stream', { kind: 'lines', line: () => [errorEvent] }, 'expired', [LIST, WATCH, LIST, WATCH]],
    ['gets garbage', { kind: 'lines', line: () => ['{"type":"ADDED","obj'] }, 'invalid', [LIST, WATCH, LIST, WATCH]],
    [
      'gets half an object',
      { kind: 'lines', line: (text) => [text.slice(0, 90)] },
      'invalid',
      [LIST, WATCH, LIST, WATCH],
    ],
  ] satisfies [string, Fault, string, string[]][]) {
    it(`comes back when the watch ${what}, and tells all that happened meanwhile`, async (t) => {
      const fixture = await started(t, onWatch(fault));
      await waitFor(() => fixture.reflector.hasSynced(), { what: 'the first list' });
      await fixture.put('b', '2');
      await fixture.remove('a');
      await stillWorks(fixture);
      assert.deepEqual(fixture.restarts, [why]);
      assert.deepEqual(summary(fixture.proxy.log), requests);
    });
  }

  it('goes on from the last event, not from the list', async (t) => {
    const fixture = await started(t, () => undefined);
    await fixture.watching();
    const { metadata } = await fixture.put('b', '2');
    await fixture.converged();
    fixture.proxy.resetAll();
    await stillWorks(fixture);
    const [, , again] = fixture.proxy.log;
    assert.equal(again?.query.get('resourceVersion'), metadata.resourceVersion);
    assert.deepEqual(
      fixture.changes.filter((change) => change.startsWith('added a')),
      ['added a=1'],
    );
  });

  it('tells of objects that vanished or were replaced while it was away, when it must list anew', async (t) => {
    const fixture = await started(t, () => undefined);
    await fixture.watching();
    await fixture.put('b', '2');
    await fixture.converged();
    await fixture.proxy.down();
    fixture.proxy.rule(onWatch({ kind: 'answer', status: 410, body: JSON.stringify(expiredStatus) }));
    await fixture.remove('a');
    await fixture.remove('b');
    await fixture.put('b', 'another');
    await fixture.proxy.up();
    await stillWorks(fixture);
    assert.deepEqual(fixture.changes.slice(2, 5), ['deleted a=1', 'deleted b=2', 'added b=another']);
  });

  it('reads events whole that come a byte at a time', async (t) => {
    const fixture = await started(t, onWatch({ kind: 'chunks', bytes: 1 }));
    await fixture.watching();
    await fixture.put('b', 'grüße €😀');
    await stillWorks(fixture);
    assert.ok(fixture.changes.includes('added b=grüße €😀'));
    assert.deepEqual(fixture.restarts, []);
  });

  it('comes back after the API server was away, however often it had to knock', async (t) => {
    const fixture = await started(t, () => undefined);
    await fixture.watching();
    await fixture.proxy.down();
    await fixture.put('b', '2');
    await waitFor(() => fixture.restarts.length >= 3, { what: 'three attempts in vain' });
    await fixture.proxy.up();
    await stillWorks(fixture);
    assert.ok(fixture.proxy.log.length <= 4, `few requests: ${summary(fixture.proxy.log)}`);
  });
});

describe('Reflector and a list that fails', { concurrency: 6 }, () => {
  for (const [what, fault, count] of [
    ['503', { kind: 'answer', status: 503, body: 'starting' }, 3],
    ['503 with Retry-After', { kind: 'answer', status: 503, headers: { 'retry-after': '0' }, body: '' }, 3],
    ['429 with Retry-After', { kind: 'answer', status: 429, headers: { 'retry-after': '0' }, body: '' }, 3],
    ['half an answer', { kind: 'truncate', bytes: 200 }, 2],
    ['an answer that breaks off', { kind: 'reset', afterBytes: 200 }, 2],
    ['no answer', { kind: 'drop' }, 2],
  ] satisfies [string, Fault, number][]) {
    it(`has not synced while the list gets ${what}, and syncs once it works`, async (t) => {
      const fixture = await started(t, onList(fault, count));
      await waitFor(() => fixture.proxy.log.length === count, { what: 'the failures' });
      assert.equal(fixture.reflector.hasSynced(), false);
      assert.deepEqual(fixture.changes, []);
      await stillWorks(fixture);
      assert.deepEqual(summary(fixture.proxy.log), [...Array.from({ length: count + 1 }, () => LIST), WATCH]);
    });
  }
});
