import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { electionFixture, type LeaseSpec, ledByA, told } from '../../test/env/lease-fixture.ts';
import { when } from '../../test/env/proxy.ts';

const time = '2019-01-01T00:00:00.000000Z';

/** What the API server stores, whoever wrote it. */
const stored: readonly [string, LeaseSpec | undefined][] = [
  ['no spec', undefined],
  ['an empty spec', {}],
  ['a holder of null', { holderIdentity: null, leaseDurationSeconds: 15, renewTime: time, acquireTime: time }],
  ['no holder but a duration', { holderIdentity: '', leaseDurationSeconds: 15 }],
  ['a holder without times', { holderIdentity: 'gone' }],
  [
    'a holder and a duration of 68 years',
    { holderIdentity: 'gone', leaseDurationSeconds: 2 ** 31 - 1, renewTime: time },
  ],
  ['a duration of a second', { holderIdentity: 'gone', leaseDurationSeconds: 1, renewTime: time }],
  ['the largest number of transitions', { holderIdentity: 'gone', leaseTransitions: 2 ** 31 - 1 }],
  ['times of the year 9999', { holderIdentity: 'gone', renewTime: '9999-12-31T23:59:59.999999Z' }],
  ["the candidate's own name, and nothing else", { holderIdentity: 'a' }],
];

/** What it refuses to store; a server with other ideas, or a bad proxy, could still answer it. */
const answered: readonly [string, unknown][] = [
  ['a renewTime that is no time', { holderIdentity: 'gone', leaseDurationSeconds: 15, renewTime: 'yesterday' }],
  ['a duration of 0', { holderIdentity: 'gone', leaseDurationSeconds: 0 }],
  ['a negative duration', { holderIdentity: 'gone', leaseDurationSeconds: -15 }],
  ['a duration larger than any number', { holderIdentity: 'gone', leaseDurationSeconds: 1e308 }],
  ['transitions that are no number', { holderIdentity: 'gone', leaseTransitions: 'many' }],
  ['a holder that is a number', { holderIdentity: 7, acquireTime: 7 }],
  ['a spec that is a text', 'spec'],
  ['a spec that is null', null],
  ["the candidate's own name with a bad acquireTime", { holderIdentity: 'a', acquireTime: 'yesterday' }],
];

/** Past it a Lease that does not change holds nobody up. */
const longestMs = 63_000;

describe('Elector and a Lease that somebody else wrote', () => {
  for (const [what, spec] of stored) {
    it(`comes to one leader from ${what}`, async (t) => {
      const { put, add, pass, fresh, lease } = await electionFixture(t);
      await put(spec);
      await Promise.all([add('a'), add('b')]);
      await pass(longestMs);
      assert.deepEqual(fresh(), [(await lease()).spec.holderIdentity]);
    });

    it(`has one leader at any time, and again one, after it was overwritten with ${what}`, async (t) => {
      const { put, pass, fresh, lease } = await ledByA(t);
      await put(spec);
      await pass(longestMs + 15_000);
      assert.deepEqual(fresh(), [(await lease()).spec.holderIdentity]);
    });

    it(`does not let another lead before a leader that is cut off has stopped, after ${what} was written`, async (t) => {
      const election = await ledByA(t);
      const { a, put, pass, fresh } = election;
      a.hang();
      await put(spec);
      await pass(longestMs + 15_000);
      assert.deepEqual([told(election), fresh()], [['a leads', 'a stops', 'b leads'], ['b']]);
    });
  }

  for (const [what, spec] of answered) {
    it(`comes to lead from an answer with ${what}`, async (t) => {
      const { put, add, pass, fresh } = await electionFixture(t);
      await put({ holderIdentity: 'gone' });
      const edit = (text: string): string =>
        text.includes('"gone"') ? JSON.stringify({ ...JSON.parse(text), spec }) : text;
      const { proxy } = await add('a');
      proxy.rule(when({ method: 'GET' }, { kind: 'edit', body: edit }));
      await pass(longestMs);
      assert.deepEqual(fresh(), ['a']);
    });
  }

  it('stops at once when it finds another name in it, and takes it back when that one never renews', async (t) => {
    const election = await ledByA(t);
    await election.put({ holderIdentity: 'somebody', leaseDurationSeconds: 15 });
    await election.pass(2_400);
    assert.deepEqual([told(election), election.fresh()], [['a leads', 'a stops'], []]);
    await election.pass(15_000);
    assert.equal(election.fresh().length, 1);
  });

  it('does not take a change of its metadata for a renewal', async (t) => {
    const { a, put, pass, lease, fresh } = await ledByA(t);
    a.clock.freeze();
    const { spec } = await lease();
    for (let second = 0; second < 20; second += 2) {
      await put(spec, { second: `${second}` });
      await pass(2_000);
    }
    assert.deepEqual(fresh(), ['b']);
  });

  it('keeps what others put into its metadata', async (t) => {
    const { put, pass, lease } = await ledByA(t);
    await put({ holderIdentity: 'a' }, { team: 'ci' });
    await pass(10_000);
    const { metadata, spec } = await lease();
    assert.deepEqual([metadata.labels, spec.leaseDurationSeconds], [{ team: 'ci' }, 15]);
  });
});

describe('Elector and a Lease that is deleted', () => {
  it('makes it again and leads on, and no other candidate takes it before', async (t) => {
    const election = await ledByA(t);
    for (let n = 0; n < 5; n++) {
      await election.remove();
      await election.pass(7_300);
    }
    assert.deepEqual([told(election), election.fresh()], [['a leads'], ['a']]);
    assert.equal((await election.lease()).spec.holderIdentity, 'a');
  });

  it('lets another make it only when a leader that is cut off has stopped', async (t) => {
    const election = await ledByA(t);
    election.a.hang();
    await election.remove();
    await election.pass(20_000);
    assert.deepEqual([told(election), election.fresh()], [['a leads', 'a stops', 'b leads'], ['b']]);
  });

  it('leaves it to the one that made it meanwhile', async (t) => {
    const election = await ledByA(t);
    await election.remove();
    await election.put({ holderIdentity: 'newcomer', leaseDurationSeconds: 15 });
    await election.pass(2_400);
    assert.deepEqual([told(election), election.fresh()], [['a leads', 'a stops'], []]);
  });
});
