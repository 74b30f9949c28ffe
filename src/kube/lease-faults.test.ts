import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Candidate, type Election, electionFixture, ledByA, told } from '../../test/env/lease-fixture.ts';
import { nth, times, when } from '../../test/env/proxy.ts';
import { waitFor } from '../../test/env/wait.ts';

/** What cuts a candidate off from the API server; the returned function mends it. */
const cuts: readonly [what: string, shortMs: number, cut: (candidate: Candidate) => () => void][] = [
  ['its calls hang', 5_000, (candidate) => candidate.hang()],
  ['its connections are reset', 7_000, ({ proxy }) => proxy.rule(() => ({ kind: 'drop' }))],
  ['it is answered 500', 7_000, ({ proxy }) => proxy.rule(() => ({ kind: 'answer', status: 500, body: '' }))],
  ['its writes are lost', 7_000, ({ proxy }) => proxy.rule(when({ method: 'PUT' }, { kind: 'drop' }))],
];

/** When it was first told, in milliseconds of the manual clock. */
function timeOf({ history }: Election, what: string): number {
  return history.find((entry) => entry.what === what)?.ms ?? Number.NaN;
}

describe('Elector cut off from the API server', () => {
  for (const [what, shortMs, cut] of cuts) {
    it(`leads on when ${what} for ${shortMs / 1000} s`, async (t) => {
      const election = await ledByA(t);
      const mend = cut(election.a);
      await election.pass(shortMs);
      assert.deepEqual(election.fresh(), ['a']);
      mend();
      await election.pass(60_000);
      assert.deepEqual([told(election), election.fresh()], [['a leads'], ['a']]);
    });

    it(`stops when ${what} for longer, before another begins, and stands again after that`, async (t) => {
      const election = await ledByA(t);
      const { a, b, pass, fresh, clock } = election;
      const [began, mend] = [clock.monotonic(), cut(a)];
      await pass(30_000);
      assert.deepEqual([told(election), fresh()], [['a leads', 'a stops', 'b leads'], ['b']]);
      assert.ok(timeOf(election, 'a stops') <= began + 10_000);
      assert.ok(timeOf(election, 'b leads') - timeOf(election, 'a stops') >= 4_000);
      mend();
      await pass(10_000);
      b.stop();
      await b.run;
      await pass(2_400);
      assert.deepEqual(fresh(), ['a']);
    });
  }

  it('stops when the API server is down for all, and one leads soon after it is back', async (t) => {
    const election = await ledByA(t);
    const { a, b, pass, fresh } = election;
    const mend = [a, b].map(({ hang }) => hang());
    await pass(60_000);
    assert.deepEqual([told(election), fresh()], [['a leads', 'a stops'], []]);
    for (const back of mend) back();
    await pass(5_000);
    assert.equal(fresh().length, 1);
  });

  it('says once what keeps on failing', async (t) => {
    const { b, pass, logged } = await ledByA(t);
    b.proxy.rule(() => ({ kind: 'answer', status: 403, body: 'forbidden' }));
    await pass(60_000);
    assert.deepEqual(logged, ['leading', 'lease not renewed or taken']);
  });

  it('ends within seconds when it is stopped while calls hang', async (t) => {
    const { a, pass } = await ledByA(t);
    a.hang();
    await pass(3_000);
    a.stop();
    await pass(7_000);
    await a.run;
  });

  it('gives back a Lease that it took without seeing the answer', async (t) => {
    const { a, b, pass, lease, fresh } = await ledByA(t);
    b.proxy.rule(when({ method: 'PUT' }, times(1, { kind: 'dropAnswer' })));
    a.stop();
    await a.run;
    while ((await lease()).spec.holderIdentity !== 'b') await pass(100);
    assert.deepEqual(fresh(), []);
    b.stop();
    await b.run;
    assert.equal((await lease()).spec.holderIdentity, '');
  });

  it('does not take what another took between its look and its write', async (t) => {
    const { put, add, pass, fresh, lease } = await electionFixture(t);
    await put({ holderIdentity: '', leaseDurationSeconds: 1 });
    const b = await add('b');
    const { promise, resolve } = Promise.withResolvers<void>();
    b.proxy.rule(nth(2, { kind: 'hold', until: promise }));
    b.calls.hanging = true;
    await waitFor(() => b.proxy.log.length === 2, { what: 'its second call' });
    await add('a');
    await pass(1_000);
    b.calls.hanging = false;
    resolve();
    await pass(10_000);
    assert.deepEqual([fresh(), (await lease()).spec.leaseTransitions], [['a'], 1]);
  });

  it('leaves the Lease alone that another took while it was cut off, when it is stopped', async (t) => {
    const { a, pass, fresh, lease } = await ledByA(t);
    const mend = a.hang();
    await pass(25_000);
    mend();
    a.stop();
    await pass(10_000);
    await a.run;
    const { holderIdentity, leaseTransitions } = (await lease()).spec;
    assert.deepEqual([fresh(), holderIdentity, leaseTransitions], [['b'], 'b', 1]);
    assert.deepEqual(a.proxy.log.at(-1)?.method, 'GET');
  });

  it('counts from when it sent the renewal, not from when it was answered', async (t) => {
    const { a, b, pass, clock, lease } = await ledByA(t);
    b.stop();
    const renewed = async (): Promise<number> =>
      clock.monotonic() - clock.now() + Date.parse((await lease()).spec.renewTime ?? '');
    const before = await renewed();
    const { promise, resolve } = Promise.withResolvers<void>();
    const hold = times(1, { kind: 'hold', until: promise });
    a.proxy.rule(
      when({ method: 'PUT' }, (request) => {
        const fault = hold(request);
        if (fault !== undefined) a.calls.hanging = true;
        return fault;
      }),
    );
    await pass(3_500);
    a.calls.hanging = false;
    resolve();
    await pass(0);
    const sent = await renewed();
    assert.ok(sent > before && clock.monotonic() - sent > 1_500, `${before}, ${sent}, ${clock.monotonic()}`);
    a.hang();
    await pass(sent + 9_999 - clock.monotonic());
    assert.ok(a.elector.isFresh());
    await pass(1);
    assert.equal(a.elector.isFresh(), false);
  });
});

describe('Elector and clocks', () => {
  it('knows at once after it was stopped for longer than its Lease, before any timer has fired', async (t) => {
    const election = await ledByA(t);
    const { a, b, pass, fresh, clock } = election;
    b.clock.freeze();
    a.clock.freeze();
    await clock.advance(9_000);
    await clock.advance(60_000);
    assert.deepEqual([a.elector.isFresh(), told(election)], [false, ['a leads']]);
    b.clock.thaw();
    await pass(16_000);
    assert.deepEqual([told(election), fresh()], [['a leads', 'b leads'], ['b']]);
    a.clock.thaw();
    await pass(30_000);
    assert.deepEqual([told(election), fresh()], [['a leads', 'b leads', 'a stops'], ['b']]);
  });

  it('leads again after it was stopped when nobody else stood, in a new term', async (t) => {
    const election = await ledByA(t);
    const { a, b, pass, fresh } = election;
    b.stop();
    await b.run;
    a.clock.freeze();
    await pass(60_000);
    a.clock.thaw();
    await pass(1);
    assert.deepEqual([told(election), fresh()], [['a leads', 'a stops', 'a leads'], ['a']]);
  });

  for (const rates of [{ rateOfB: 2 }, { rateOfB: 5 }, { rateOfA: 0.5 }, { rateOfA: 2 }]) {
    it(`leads on whatever other clocks do, as they see its renewals: ${JSON.stringify(rates)}`, async (t) => {
      const election = await ledByA(t, rates);
      await election.pass(60_000);
      assert.deepEqual([told(election), election.fresh()], [['a leads'], ['a']]);
    });
  }

  for (const rates of [{ rateOfB: 1.45 }, { rateOfA: 0.7 }, { rateOfA: 1.45 }, { rateOfB: 0.7 }]) {
    it(`stops before another begins as long as clocks differ by less than a half: ${JSON.stringify(rates)}`, async (t) => {
      const election = await ledByA(t, rates);
      election.a.hang();
      await election.pass(40_000);
      assert.deepEqual([told(election), election.fresh()], [['a leads', 'a stops', 'b leads'], ['b']]);
    });
  }
});
