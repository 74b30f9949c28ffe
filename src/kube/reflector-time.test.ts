import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ConfigMap, type KubeFixture, summary } from '../../test/env/kube-fixture.ts';
import { ManualClock } from '../../test/env/manual-clock.ts';
import { type Fault, times, when } from '../../test/env/proxy.ts';
import { type ReflectorFixture, reflectorFixture } from '../../test/env/reflector-fixture.ts';
import { waitFor } from '../../test/env/wait.ts';

const [LIST, WATCH] = ['GET configmaps', 'WATCH configmaps'];
const SILENCE_LIMIT_MS = 150_000;
const anyWatch = { query: { watch: 'true' } };

/** A list with object a=1, and then the faults, on a clock that only the test moves. */
async function start(t: Parameters<typeof reflectorFixture>[0], rule: Parameters<KubeFixture['proxy']['rule']>[0]) {
  const clock = new ManualClock();
  const prepare = async ({ put, proxy }: KubeFixture): Promise<void> => {
    await put('a', '1');
    proxy.rule(rule);
  };
  return { clock, ...(await reflectorFixture(t, { clock, prepare })) };
}

/** The next n waits between attempts, each passed as soon as it is there. */
async function passWaits(clock: ManualClock, { restarts }: ReflectorFixture, n: number): Promise<number[]> {
  const waits: number[] = [];
  while (waits.length < n) {
    const [ms = 0] = await waitFor(
      () => restarts.length === waits.length + 1 && clock.sleeps().length === 1 && clock.sleeps(),
      {
        what: `wait ${waits.length + 1}`,
      },
    );
    waits.push(ms);
    await clock.advance(ms);
  }
  return waits;
}

/** As a real one, so that what the watch sends counts as heard and nothing else does. */
function asBookmark(text: string): string[] {
  const { object } = JSON.parse(text) as { object: ConfigMap };
  return [
    JSON.stringify({ type: 'BOOKMARK', object: { metadata: { resourceVersion: object.metadata.resourceVersion } } }),
  ];
}

describe('Reflector and time', () => {
  for (const [what, match, fault] of [
    ['the list fails', () => true, { kind: 'answer', status: 503, body: '' }],
    ['the watch is refused', anyWatch, { kind: 'answer', status: 403, body: '' }],
    ['the watch ends at once', anyWatch, { kind: 'answer', status: 200, body: '' }],
    ['the watch is always too old', anyWatch, { kind: 'answer', status: 410, body: '' }],
  ] satisfies [string, Parameters<typeof when>[0], Fault][]) {
    it(`waits longer and longer, up to half a minute, as long as ${what}, and then works`, async (t) => {
      let broken = true;
      const fixture = await start(t, (request) => (broken ? when(match, fault)(request) : undefined));
      const waits = await passWaits(fixture.clock, fixture, 9);
      assert.deepEqual(waits, [250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
      await waitFor(() => fixture.restarts.length === 10, { what: 'the tenth attempt' });
      assert.ok(fixture.proxy.log.length <= 20, `${fixture.proxy.log.length} requests`);
      broken = false;
      await fixture.clock.advance(15_000);
      await fixture.watching();
      await fixture.put('b', '2');
      await fixture.converged();
    });
  }

  it('begins with short waits again after a watch that lived', async (t) => {
    const fixture = await start(t, when(anyWatch, times(4, { kind: 'answer', status: 500, body: '' })));
    assert.deepEqual(await passWaits(fixture.clock, fixture, 4), [250, 500, 1000, 2000]);
    await fixture.watching();
    await fixture.clock.advance(30_000);
    fixture.proxy.resetAll();
    await waitFor(() => fixture.restarts.length === 5, { what: 'the fifth restart' });
    assert.deepEqual(
      await waitFor(() => fixture.clock.sleeps().length === 1 && fixture.clock.sleeps(), { what: 'wait' }),
      [250],
    );
  });

  it('waits as long as the server asks', async (t) => {
    const fault = { kind: 'answer', status: 429, headers: { 'retry-after': '20' }, body: '' } as const;
    const fixture = await start(t, when(anyWatch, times(1, fault)));
    assert.deepEqual(await passWaits(fixture.clock, fixture, 1), [20_000]);
  });

  it('drops a watch that says nothing for two and a half minutes, not even a bookmark, and lists anew', async (t) => {
    const fixture = await start(t, when(anyWatch, times(1, { kind: 'silence', afterBytes: 0 })));
    await waitFor(() => fixture.proxy.log.length === 2, { what: 'the watch' });
    await fixture.put('b', '2');
    await waitFor(() => fixture.clock.sleeps().length === 1, { what: 'the watchdog' });
    await fixture.clock.advance(SILENCE_LIMIT_MS - 1);
    assert.equal(fixture.reflector.silentForMs(), SILENCE_LIMIT_MS - 1);
    assert.deepEqual(fixture.restarts, []);
    await fixture.clock.advance(1);
    assert.deepEqual(await passWaits(fixture.clock, fixture, 1), [250]);
    await fixture.converged();
    assert.deepEqual(fixture.restarts, ['silent']);
    await fixture.watching();
    assert.deepEqual(summary(fixture.proxy.log), [LIST, WATCH, LIST, WATCH]);
  });

  it('goes on where it was after a watch that fell silent in the middle of an event', async (t) => {
    const fixture = await start(t, when(anyWatch, times(1, { kind: 'silence', afterBytes: 900 })));
    await waitFor(() => fixture.clock.sleeps().length === 1 && fixture.proxy.log[1]?.status === 200, {
      what: 'the watch',
    });
    await fixture.clock.advance(1000);
    const { metadata } = await fixture.put('b', '2');
    await waitFor(() => fixture.changes.length === 2, { what: 'the first event' });
    await fixture.put('c', '3');
    await fixture.clock.advance(SILENCE_LIMIT_MS);
    await passWaits(fixture.clock, fixture, 1);
    await fixture.converged();
    assert.deepEqual(summary(fixture.proxy.log), [LIST, WATCH, WATCH]);
    assert.equal(fixture.proxy.log[2]?.query.get('resourceVersion'), metadata.resourceVersion);
  });

  it('takes bookmarks for signs of life and goes on from the last one', async (t) => {
    const fixture = await start(t, when(anyWatch, times(1, { kind: 'lines', line: asBookmark })));
    await waitFor(() => fixture.clock.sleeps().length === 1 && fixture.proxy.log[1]?.status === 200, {
      what: 'the watch',
    });
    let last = '';
    for (let n = 0; n < 3; n++) {
      await fixture.clock.advance(SILENCE_LIMIT_MS - 1000);
      last = (await fixture.put('b', String(n))).metadata.resourceVersion ?? '';
      await waitFor(() => fixture.reflector.silentForMs() === 0, { what: 'the bookmark' });
    }
    assert.deepEqual(fixture.changes, ['added a=1']);
    assert.deepEqual(fixture.restarts, []);
    fixture.proxy.resetAll();
    await passWaits(fixture.clock, fixture, 1);
    await fixture.watching();
    assert.equal(fixture.proxy.log[2]?.query.get('resourceVersion'), last);
  });

  it('finds what a watch lost without a trace with the next list, made once the last is ten minutes old', async (t) => {
    const fixture = await start(t, when(anyWatch, times(1, { kind: 'lines', line: asBookmark })));
    await waitFor(() => fixture.clock.sleeps().length === 1 && fixture.proxy.log[1]?.status === 200, {
      what: 'the watch',
    });
    for (let minute = 0; minute <= 10; minute++) {
      await fixture.put('b', String(minute));
      await waitFor(() => fixture.reflector.silentForMs() === 0, { what: 'the bookmark' });
      await fixture.clock.advance(60_000);
    }
    fixture.proxy.resetAll();
    await passWaits(fixture.clock, fixture, 1);
    await fixture.converged();
    assert.deepEqual(fixture.changes, ['added a=1', 'added b=10']);
  });
});
