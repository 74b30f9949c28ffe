import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ConfigMap, configMaps, type KubeFixture, kubeFixture } from '../../test/env/kube-fixture.ts';
import { ManualClock } from '../../test/env/manual-clock.ts';
import { type Fault, times } from '../../test/env/proxy.ts';
import { waitFor } from '../../test/env/wait.ts';
import { ApiError } from './kube.ts';
import { ConnectionError } from './transport.ts';

function refusal(status: number, retryAfter?: number): Fault {
  const body = JSON.stringify({ kind: 'Status', code: status, reason: 'Refused', message: 'not now' });
  return {
    kind: 'answer',
    status,
    body,
    ...(retryAfter === undefined ? {} : { headers: { 'retry-after': `${retryAfter}` } }),
  };
}

/** Makes a call and lets its waits pass; what it waited, and what came of it. */
async function waits<T>(clock: ManualClock, call: Promise<T>): Promise<number[]> {
  const waited: number[] = [];
  let settled = false;
  const end = call.finally(() => {
    settled = true;
  });
  end.catch(() => undefined);
  for (;;) {
    const short = await waitFor(() => (settled ? 'settled' : clock.sleeps().find((ms) => ms < 5000)), {
      what: 'a wait',
    });
    if (short === 'settled') break;
    waited.push(short);
    await clock.advance(short);
  }
  await end;
  return waited;
}

function get({ client, namespace }: KubeFixture): Promise<ConfigMap> {
  return client.get<ConfigMap>(configMaps, { namespace, name: 'a' });
}

function create({ client, namespace }: KubeFixture): Promise<ConfigMap> {
  return client.create<ConfigMap>(configMaps, { metadata: { name: 'new', namespace, labels: { test: 'kube' } } });
}

describe('KubeClient and a server that refuses', () => {
  for (const [what, fault, call, requests, waited] of [
    ['a get after 429, when the server said', refusal(429, 1), get, 3, [1125, 1125]],
    ['a get after 503 with Retry-After', refusal(503, 2), get, 3, [2250, 2250]],
    ['a create after 429: the server did nothing', refusal(429, 1), create, 3, [1125, 1125]],
    ['a get after 429 without Retry-After, with back-off', refusal(429), get, 3, [281.25, 562.5]],
  ] as const) {
    it(`repeats ${what}`, async (t) => {
      const clock = new ManualClock();
      const fixture = await kubeFixture(t, { clock });
      await fixture.put('a', '1');
      fixture.proxy.rule(times(2, fault));
      assert.deepEqual(await waits(clock, call(fixture)), waited);
      assert.equal(fixture.proxy.log.length, requests);
    });
  }

  for (const [what, fault, call, status, requests] of [
    ['a create after 503: it may have been done', refusal(503, 1), create, 503, 1],
    ['a get after 503 without Retry-After', refusal(503), get, 503, 1],
    ['a get after 500', refusal(500), get, 500, 1],
    ['a get that is to wait longer than a call may take', refusal(429, 60), get, 429, 1],
    ['a get more than three times', refusal(429, 1), get, 429, 4],
  ] as const) {
    it(`does not repeat ${what}`, async (t) => {
      const clock = new ManualClock();
      const fixture = await kubeFixture(t, { clock });
      fixture.proxy.rule(() => fault);
      await assert.rejects(
        waits(clock, call(fixture)),
        (error) => error instanceof ApiError && error.status === status && error.message === 'not now',
      );
      assert.equal(fixture.proxy.log.length, requests);
    });
  }

  it('tells the caller how long the server wants it to wait', async (t) => {
    const fixture = await kubeFixture(t);
    fixture.proxy.rule(() => refusal(429, 60));
    await assert.rejects(get(fixture), (error) => error instanceof ApiError && error.retryAfterMs === 60_000);
  });
});

describe('KubeClient and a connection that breaks', () => {
  it('takes half an answer for an error, and says nothing of what was in it', async (t) => {
    const fixture = await kubeFixture(t);
    await fixture.put('a', 'secret-value');
    for (const fault of [
      { kind: 'truncate', bytes: 150 },
      { kind: 'reset', afterBytes: 150 },
    ] as const) {
      const forget = fixture.proxy.rule(() => fault);
      await assert.rejects(
        get(fixture),
        (error: Error) => /not all of it|no answer/.test(error.message) && !/metadata|secret/.test(error.message),
      );
      forget();
    }
    assert.equal((await get(fixture)).data?.['value'], 'secret-value');
  });

  it('reads characters whole that come in pieces', async (t) => {
    const fixture = await kubeFixture(t);
    await fixture.put('a', 'grüße €😀');
    fixture.proxy.rule(() => ({ kind: 'chunks', bytes: 1 }));
    assert.equal((await get(fixture)).data?.['value'], 'grüße €😀');
  });

  it('does not create twice when the answer is lost', async (t) => {
    const fixture = await kubeFixture(t);
    fixture.proxy.rule(times(1, { kind: 'dropAnswer' }));
    await assert.rejects(create(fixture), ConnectionError);
    assert.equal(fixture.proxy.log.length, 1);
    assert.deepEqual(await fixture.truth(), ['new=']);
    assert.deepEqual(fixture.reported, ['create error']);
  });

  it('tries again a refused connection, a bounded number of times', async (t) => {
    const clock = new ManualClock();
    const fixture = await kubeFixture(t, { clock });
    await fixture.proxy.down();
    await assert.rejects(
      waits(clock, create(fixture)),
      (error) =>
        error instanceof ConnectionError && error.message.includes(fixture.proxy.url) && error.code === 'ECONNREFUSED',
    );
    assert.equal(fixture.reported.length, 4);
    const call = create(fixture);
    await waitFor(() => fixture.reported.length === 5, { what: 'the first attempt' });
    await fixture.proxy.up();
    assert.equal((await waits(clock, call)).length, 1);
    assert.deepEqual(await fixture.truth(), ['new=']);
  });

  it('gives up a call without an answer after 10 s, and the next call works', async (t) => {
    const clock = new ManualClock();
    const fixture = await kubeFixture(t, { clock });
    await fixture.put('a', '1');
    fixture.proxy.rule(times(1, { kind: 'silence', afterBytes: 10 }));
    const call = assert.rejects(get(fixture), /GET .*\/configmaps\/a: the API server did not answer within 10 s/);
    await waitFor(() => fixture.reported.length === 1, { what: 'the beginning of the answer' });
    await clock.advance(9_999);
    await clock.advance(1);
    await call;
    assert.equal((await get(fixture)).data?.['value'], '1');
    assert.deepEqual(clock.sleeps(), []);
  });

  it('lets a watch that has begun go on past the time limit of a call', async (t) => {
    const clock = new ManualClock();
    const { client, namespace, put, reported } = await kubeFixture(t, { clock });
    const { resourceVersion } = await client.list(configMaps, { namespace });
    const stop = new AbortController();
    const options = {
      namespace,
      resourceVersion,
      timeoutSeconds: 300,
      allowWatchBookmarks: true,
      labelSelector: 'test=kube',
    };
    const next = client.watch(configMaps, options, stop.signal).next();
    await waitFor(() => reported.includes('watch 200'), { what: 'the watch' });
    await clock.advance(60_000);
    await put('a', '1');
    assert.equal((await next).value?.object.metadata.name, 'a');
    stop.abort();
  });

  it("ends with the caller's reason when the caller aborts", async (t) => {
    const fixture = await kubeFixture(t);
    fixture.proxy.rule(times(1, { kind: 'silence', afterBytes: 0 }));
    const stop = new AbortController();
    const reason = new Error('shutting down');
    const call = fixture.client.get(configMaps, { namespace: fixture.namespace, name: 'a' }, { signal: stop.signal });
    await waitFor(() => fixture.reported.length === 1, { what: 'the request' });
    stop.abort(reason);
    await assert.rejects(call, (error) => error === reason);
  });
});
