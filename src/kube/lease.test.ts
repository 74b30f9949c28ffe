import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { electionFixture, ledByA, told } from '../../test/env/lease-fixture.ts';
import { newIdentity } from './lease.ts';

describe('Elector', () => {
  it('makes the Lease where there is none, with times of six digits, and keeps it by renewing it', async (t) => {
    const { clock, lease, pass, add, fresh } = await electionFixture(t);
    await add('a');
    await pass(0);
    const [began, first] = [clock.now(), await lease()];
    const at = (ms: number): string => new Date(ms).toISOString().replace('Z', '000Z');
    const spec = { holderIdentity: 'a', leaseDurationSeconds: 15, leaseTransitions: 0, acquireTime: at(began) };
    assert.deepEqual(first.spec, { ...spec, renewTime: at(began) });
    await pass(60_000);
    const later = await lease();
    assert.deepEqual(later.spec, { ...spec, renewTime: later.spec.renewTime });
    assert.ok(Date.parse(later.spec.renewTime ?? '') > clock.now() - 2_400, later.spec.renewTime);
    assert.deepEqual(fresh(), ['a']);
  });

  it('lets one of three lead that all begin at once, whether there is a Lease or not', async (t) => {
    for (const before of ['none', 'released'] as const) {
      const election = await electionFixture(t);
      if (before === 'released') await election.put({ holderIdentity: '', leaseDurationSeconds: 1 });
      await Promise.all(['a', 'b', 'c'].map((name) => election.add(name)));
      await election.pass(30_000);
      const [leader = '', ...others] = election.fresh();
      assert.deepEqual([others, told(election)], [[], [`${leader} leads`]]);
      assert.equal((await election.lease()).spec.holderIdentity, leader);
    }
  });

  it('lets another lead within 20 s after the leader vanished, and not before the Lease was 15 s old', async (t) => {
    const election = await ledByA(t);
    const { a, clock, pass, history, fresh, lease } = election;
    a.clock.freeze();
    const leaseAgeMs = clock.now() - Date.parse((await lease()).spec.renewTime ?? '');
    const vanished = clock.monotonic();
    await pass(20_000);
    assert.deepEqual(fresh(), ['b']);
    const waited = (history[1]?.ms ?? 0) - vanished;
    assert.ok(waited <= 18_000 && waited + leaseAgeMs >= 15_000, `${waited} ms after ${leaseAgeMs} ms`);
    assert.deepEqual([(await lease()).spec.holderIdentity, (await lease()).spec.leaseTransitions], ['b', 1]);
  });

  it('gives the Lease back when it is stopped, and another leads at its next look', async (t) => {
    const election = await ledByA(t);
    const { a, pass, lease } = election;
    a.stop();
    await a.run;
    const { spec } = await lease();
    assert.deepEqual([spec.holderIdentity, spec.leaseDurationSeconds], ['', 1]);
    assert.equal(a.elector.isFresh(), false);
    await pass(2_400);
    assert.deepEqual(told(election), ['a leads', 'a stops', 'b leads']);
    assert.equal((await lease()).spec.leaseTransitions, 1);
  });

  it('keeps the Lease while what it led is still ending, however long', async (t) => {
    const election = await ledByA(t);
    const { a, pass, fresh } = election;
    const { promise, resolve } = Promise.withResolvers<void>();
    a.ending.as = promise;
    a.stop();
    await pass(40_000);
    assert.deepEqual([told(election), fresh()], [['a leads', 'a stops'], ['a']]);
    resolve();
    await a.run;
    await pass(2_400);
    assert.deepEqual(fresh(), ['b']);
  });

  it('leaves the Lease of another alone when a candidate is stopped', async (t) => {
    const { b, pass, fresh, lease } = await ledByA(t);
    b.stop();
    await b.run;
    await pass(30_000);
    assert.deepEqual([fresh(), (await lease()).spec.holderIdentity], [['a'], 'a']);
  });

  for (const [what, as] of [
    ['ends', () => Promise.resolve()],
    ['throws', () => Promise.reject(new Error('broken'))],
  ] as const) {
    it(`gives the Lease back and ends when what it leads ${what} unasked`, async (t) => {
      const { add, pass, lease } = await electionFixture(t);
      const a = await add('a');
      const ended = as();
      ended.catch(() => undefined);
      Object.assign(a.ending, { at: 'once', as: ended });
      await pass(5_000);
      if (what === 'ends') await a.run;
      else await assert.rejects(a.run, /^Error: broken$/);
      assert.equal((await lease()).spec.holderIdentity, '');
    });
  }

  it('does not stand again before what it led has ended', async (t) => {
    const election = await ledByA(t);
    const { a, b, pass, fresh, put } = election;
    const { promise, resolve } = Promise.withResolvers<void>();
    a.ending.as = promise;
    await put({ holderIdentity: 'somebody', leaseDurationSeconds: 15 });
    await pass(2_400);
    b.stop();
    await b.run;
    await pass(60_000);
    assert.deepEqual([told(election), fresh()], [['a leads', 'a stops'], []]);
    resolve();
    await pass(20_000);
    assert.deepEqual(fresh(), ['a']);
  });

  it('has an identity that no other life of the same pod has', () => {
    assert.match(newIdentity('kube-git-7d9f'), /^kube-git-7d9f_[0-9a-f-]{36}$/);
    assert.notEqual(newIdentity('p'), newIdentity('p'));
  });
});
