import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { type ConfigMap, kubeFixture } from '../../test/env/kube-fixture.ts';
import { ManualClock } from '../../test/env/manual-clock.ts';
import { times } from '../../test/env/proxy.ts';
import { waitFor } from '../../test/env/wait.ts';
import type { Log } from '../log.ts';
import type { EventRecord } from './event-record.ts';
import { createRecorder } from './recorder.ts';

interface Stored extends EventRecord {
  readonly type: string;
  readonly reason: string;
  readonly involvedObject: { readonly uid: string };
}

/** A recorder on a clock that stands still, and an object to speak of. */
async function start(t: TestContext) {
  const fixture = await kubeFixture(t);
  const clock = new ManualClock();
  const logged: string[] = [];
  const record = (_fields: unknown, message: string): void => void logged.push(message);
  const log = { debug: record, info: record, warn: record, error: record } as unknown as Log;
  const recorder = createRecorder({ kube: fixture.client, clock, log, random: () => 1 });
  t.after(() => recorder.stop());
  const about = await fixture.put('app', '1');
  const say = (message: string, object: ConfigMap = about): void =>
    recorder.event(object, 'Warning', 'NotMatched', message);
  const events = async (): Promise<Stored[]> => (await fixture.api<{ items: Stored[] }>('GET', 'events')).items;
  /** The Events as message×count, once there are so many of them. */
  const told = (count: number): Promise<string[]> =>
    waitFor(
      async () => {
        const found = await events();
        return found.length === count && idle() && found.map((event) => `${event.message}×${event.count}`).sort();
      },
      { what: `${count} Events` },
    );
  const idle = (): boolean => fixture.proxy.log.every(({ done }) => done) && clock.sleeps().length === 0;
  return { ...fixture, clock, logged, recorder, about, say, events, told };
}

describe('createRecorder', () => {
  it('writes an Event about the object, in its namespace', async (t) => {
    const { about, say, told, events } = await start(t);
    say('no branch fits');
    assert.deepEqual(await told(1), ['no branch fits×1']);
    const [event] = await events();
    assert.deepEqual(
      [event?.type, event?.reason, event?.involvedObject.uid],
      ['Warning', 'NotMatched', about.metadata.uid],
    );
  });

  it('counts repeats on the first Event with a patch each, or with one for several that wait', async (t) => {
    const { say, told, proxy } = await start(t);
    say('again');
    await told(1);
    say('again');
    await waitFor(() => proxy.log.length === 2 && proxy.log.every(({ done }) => done), { what: 'the patch' });
    assert.deepEqual(await told(1), ['again×2']);
    for (let n = 0; n < 5; n++) say('again');
    await waitFor(async () => (await told(1))[0] === 'again×7', { what: 'seven' });
    assert.ok(proxy.log.length <= 4, `${proxy.log.length} requests`);
    assert.deepEqual(proxy.log.map(({ method }) => method).slice(0, 3), ['POST', 'PATCH', 'PATCH']);
  });

  it('makes a thousand different messages about one object cost 25 writes at most', async (t) => {
    const { say, told, proxy } = await start(t);
    for (let n = 0; n < 1000; n++) say(`push ${n}`);
    const found = await told(11);
    assert.ok(found.some((line) => line.startsWith('(combined from similar events): push ')));
    assert.ok(proxy.log.length <= 26, `${proxy.log.length} requests`);
  });

  it('creates the Event again when it is gone', async (t) => {
    const { say, told, events, api } = await start(t);
    say('again');
    await told(1);
    const [event] = await events();
    await api('DELETE', `events/${event?.metadata.name}`);
    say('again');
    assert.deepEqual(await told(1), ['again×2']);
  });

  it('tries again with back-off while the API server fails, and then writes what waited', async (t) => {
    const { say, told, proxy, clock } = await start(t);
    proxy.rule(times(3, { kind: 'answer', status: 500, body: '' }));
    say('first');
    say('second');
    for (const ms of [500, 1000, 2000]) {
      await waitFor(() => clock.sleeps().includes(ms), { what: `a wait of ${ms} ms` });
      await clock.advance(ms);
    }
    assert.deepEqual(await told(2), ['first×1', 'second×1']);
    assert.equal(proxy.log.length, 5);
  });

  it('gives up an Event that is refused, says so in the log, and goes on with the next', async (t) => {
    const { say, told, proxy, logged } = await start(t);
    proxy.rule(times(1, { kind: 'answer', status: 403, body: '' }));
    say('refused');
    say('taken');
    assert.deepEqual(await told(1), ['taken×1']);
    assert.deepEqual(logged, ['event lost']);
  });

  it('writes what waits before it stops, and takes nothing afterwards', async (t) => {
    const { say, recorder, told, proxy } = await start(t);
    for (let n = 0; n < 5; n++) say(`push ${n}`);
    await recorder.stop();
    say('too late');
    assert.equal((await told(5)).length, 5);
    assert.equal(proxy.log.length, 5);
  });

  it('stops after two seconds although the API server does not answer', async (t) => {
    const { say, recorder, proxy, clock } = await start(t);
    proxy.rule(() => ({ kind: 'silence', afterBytes: 0 }));
    say('in vain');
    await waitFor(() => proxy.log.length === 1, { what: 'the request' });
    let stopped = false;
    const stop = recorder.stop().then(() => {
      stopped = true;
    });
    await clock.advance(1999);
    assert.equal(stopped, false);
    await clock.advance(1);
    await stop;
  });

  it('never throws, whatever it is given', async (t) => {
    const { recorder, told } = await start(t);
    const cyclic: Record<string, unknown> = {};
    cyclic['self'] = cyclic;
    recorder.event({ metadata: {} }, 'Normal', 'Odd', 'no name');
    recorder.event({ metadata: { name: cyclic as unknown as string } }, 'Normal', 'Odd', 'no text');
    recorder.event(undefined as unknown as ConfigMap, 'Normal', 'Odd', 'no object');
    assert.deepEqual(await told(0), []);
  });
});
