import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pushPayload, randomId, type Sent, startTestReceiver, type TestReceiver } from '../../test/env/receiver.ts';
import { waitFor } from '../../test/env/wait.ts';

const repository = 'https://git.example.com/acme/app';

async function receiverWithGitHook(t: Parameters<typeof startTestReceiver>[0]): Promise<TestReceiver> {
  const receiver = await startTestReceiver(t);
  await receiver.addGitHook('build', { repository });
  return receiver;
}

function decisions(sent: readonly Sent[]): string[] {
  return sent.map(({ outcome }) => outcome.githooks[0]?.decision ?? outcome.reason).sort();
}

const onRuns =
  (method: string, path = /\/githookruns/) =>
  (request: { method: string; path: string }) =>
    request.method === method && path.test(request.path);

describe('record', () => {
  it('knows a redelivery by its id and a replay by its body', async (t) => {
    const receiver = await receiverWithGitHook(t);
    const payload = pushPayload();
    const first = await receiver.send({ payload, id: 'one' });
    const redelivered = await receiver.send({ payload: { ...payload, nonce: 'other bytes' }, id: 'one' });
    const replayed = await receiver.send({ payload, id: 'two' });
    assert.deepEqual(
      [first, redelivered, replayed].map(({ status }) => status),
      [202, 202, 202],
    );
    assert.deepEqual(decisions([redelivered, replayed]), ['Duplicate', 'Duplicate']);
    assert.deepEqual(replayed.outcome.runs, first.outcome.runs);
    assert.equal((await receiver.runs()).length, 1);
  });

  it('adds the delivery of a second webhook to the run, and then knows that one too', async (t) => {
    const receiver = await receiverWithGitHook(t);
    const push = { after: randomId() };
    await receiver.send({ payload: pushPayload(push), id: 'repo', hookId: '1' });
    const second = { payload: pushPayload(push), id: 'organisation', hookId: '2' };
    const sent = [await receiver.send(second), await receiver.send(second)];
    assert.deepEqual(
      sent.map(({ outcome }) => outcome.githooks[0]?.reason),
      ['AnotherWebhook', 'DeliveryKnown'],
    );
    const [run, ...others] = await receiver.runs();
    assert.equal(others.length, 0);
    assert.deepEqual(
      run?.status?.deliveries?.map(({ id, hookId }) => [id, hookId]),
      [['organisation', '2']],
    );
  });

  it('makes two runs of B when a branch goes from A to B, back, and to B again', async (t) => {
    const receiver = await receiverWithGitHook(t);
    const [a, b] = [randomId(), randomId()];
    const steps = [
      { before: a, after: b },
      { before: b, after: a },
      { before: a, after: b },
    ];
    const payloads = steps.map((step) => pushPayload(step));
    for (const payload of payloads) await receiver.send({ payload });
    for (const payload of payloads) await receiver.send({ payload, id: 'again' });
    const runs = await receiver.runs();
    assert.deepEqual(runs.map(({ spec }) => [spec.after === a ? 'A' : 'B', spec.sequence]).sort(), [
      ['A', 1],
      ['B', 1],
      ['B', 2],
    ]);
    const [first, second] = runs.filter(({ spec }) => spec.after === b).map(({ metadata }) => metadata.name ?? '');
    assert.deepEqual([`${first}-2`], [second]);
  });

  it('makes one run of 50 copies of a delivery at once', async (t) => {
    const receiver = await receiverWithGitHook(t);
    const delivery = { payload: pushPayload(), id: 'copied' };
    const sent = await Promise.all(Array.from({ length: 50 }, () => receiver.send(delivery)));
    assert.deepEqual(decisions(sent), [...Array(49).fill('Duplicate'), 'RunCreated']);
    assert.equal((await receiver.runs()).length, 1);
  });

  it('makes one run of 20 webhooks that tell of one push at once, and remembers each', async (t) => {
    const receiver = await receiverWithGitHook(t);
    const push = { after: randomId() };
    const sent = await Promise.all(
      Array.from({ length: 20 }, (_, hook) => receiver.send({ payload: pushPayload(push), hookId: `${hook}` })),
    );
    assert.ok(
      sent.every(({ status }) => status === 202),
      JSON.stringify(decisions(sent)),
    );
    const [run, ...others] = await receiver.runs();
    assert.deepEqual([others.length, run?.status?.deliveries?.length], [0, 19]);
  });

  it('answers 503 with Retry-After while the API server is away, and makes one run when the delivery comes again', async (t) => {
    const receiver = await receiverWithGitHook(t);
    const delivery = { payload: pushPayload(), id: 'again' };
    await receiver.proxy.down();
    const away = await receiver.send(delivery);
    assert.deepEqual([away.status, away.headers.get('retry-after'), away.outcome.decision], [503, '10', 'unavailable']);
    await receiver.proxy.up();
    const back = await receiver.send(delivery);
    assert.deepEqual([back.status, (await receiver.runs()).length], [202, 1]);
  });

  it('makes one run when the answer to its creation was lost', async (t) => {
    const receiver = await receiverWithGitHook(t);
    const isCreate = onRuns('POST');
    const stop = receiver.proxy.rule((request) => (isCreate(request) ? { kind: 'dropAnswer' } : undefined));
    const delivery = { payload: pushPayload(), id: 'again' };
    assert.equal((await receiver.send(delivery)).status, 503);
    stop();
    assert.deepEqual(decisions([await receiver.send(delivery)]), ['Duplicate']);
    assert.equal((await receiver.runs()).length, 1);
  });

  it('answers 503 within the time limit when the API server says nothing', async (t) => {
    const receiver = await startTestReceiver(t, { limits: { answerMs: 300 } });
    await receiver.addGitHook('build', { repository });
    const isCreate = onRuns('POST');
    receiver.proxy.rule((request) => (isCreate(request) ? { kind: 'silence', afterBytes: 0 } : undefined));
    const started = performance.now();
    const { status } = await receiver.send({ payload: pushPayload() });
    assert.equal(status, 503);
    assert.ok(performance.now() - started < 5_000);
  });

  it('records no more at the same time than the limit says, and the others in turn', async (t) => {
    const receiver = await startTestReceiver(t, { limits: { recordings: 2 } });
    await receiver.addGitHook('build', { repository });
    const isCreate = onRuns('POST');
    const released = Promise.withResolvers<void>();
    let creates = 0;
    receiver.proxy.rule((request) => {
      if (!isCreate(request)) return undefined;
      creates += 1;
      return { kind: 'hold', until: released.promise };
    });
    const bodies = Array.from({ length: 5 }, () => JSON.stringify(pushPayload()));
    const answers = Promise.all(bodies.map((body) => receiver.send({ body })));
    const inFlight = `kubegit_bytes_in_flight ${bodies.join('').length}\n`;
    const areIn = async () => creates >= 2 && (await receiver.metrics.text()).includes(inFlight);
    await waitFor(areIn, { what: 'all five deliveries, and two creates' });
    assert.equal((await receiver.send({ payload: {}, event: 'ping' })).status, 200);
    assert.equal(creates, 2);
    released.resolve();
    assert.deepEqual(
      (await answers).map(({ status }) => status),
      [202, 202, 202, 202, 202],
    );
  });

  it('goes on when the run changes or is gone while it is looked at', async (t) => {
    const receiver = await receiverWithGitHook(t);
    const push = { after: randomId() };
    await receiver.send({ payload: pushPayload(push), hookId: '1' });
    const fault = (status: number, reason: string) => ({
      kind: 'answer' as const,
      status,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ kind: 'Status', status: 'Failure', reason, message: reason, code: status }),
    });
    let gets = 0;
    let puts = 0;
    receiver.proxy.rule((request) => {
      if (onRuns('GET')(request) && gets++ < 2) return fault(404, 'NotFound');
      if (onRuns('PUT')(request) && puts++ < 2) return fault(409, 'Conflict');
      return undefined;
    });
    const { outcome } = await receiver.send({ payload: pushPayload(push), hookId: '2' });
    assert.deepEqual([outcome.githooks[0]?.reason, puts, (await receiver.runs()).length], ['AnotherWebhook', 3, 1]);
  });
});

describe('refusals', () => {
  it('that last for one GitHook are told on it, and do not hold up the others', async (t) => {
    const receiver = await startTestReceiver(t);
    await receiver.addGitHook('good', { repository });
    await receiver.addGitHook('bad', { repository });
    const message = 'admission policy "no-runs" denied the request';
    const body = JSON.stringify({ kind: 'Status', status: 'Failure', reason: 'Forbidden', message, code: 403 });
    const headers = { 'content-type': 'application/json' };
    let refuseNext = true;
    receiver.proxy.rule((request) => {
      if (!onRuns('POST')(request) || !refuseNext) return undefined;
      refuseNext = false;
      return { kind: 'answer', status: 403, headers, body };
    });
    const { status, outcome } = await receiver.send({ payload: pushPayload() });
    assert.deepEqual([status, outcome.decision, outcome.runs.length], [202, 'accepted', 1]);
    const refused = outcome.githooks.find(({ decision }) => decision === 'Refused');
    assert.deepEqual([refused?.reason, refused?.message?.includes(message)], ['Forbidden', true]);
    const [event] = await receiver.events(refused?.name.split('/')[1] ?? '');
    assert.match(event ?? '', /^Warning PushRefused the run for refs\/heads\/main \([0-9a-f]{12}\) was refused: /);
  });

  it('of a quota, of the only GitHook, are answered with 200 and the reason', async (t) => {
    const receiver = await receiverWithGitHook(t);
    await receiver.exhaustRunQuota();
    const { status, outcome } = await waitFor(
      async () => {
        const answer = await receiver.send({ payload: pushPayload() });
        return answer.status !== 202 && answer;
      },
      { what: 'the quota' },
    );
    assert.deepEqual([status, outcome.decision, outcome.reason], [200, 'refused', 'RunsRefused']);
    assert.match(outcome.githooks[0]?.message ?? '', /exceeded quota/);
  });
});
