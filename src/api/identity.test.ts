import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { GitHookRun, GitHookRunSpec } from './githookrun.ts';
import { type Arrival, covers, decide, runName, runNameByHand, type Verdict } from './identity.ts';

const push = {
  gitHook: { name: 'build', uid: 'uid-1' },
  repository: 'github.com/acme/app',
  ref: 'refs/heads/main',
  after: 'a'.repeat(40),
};
const validName = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

describe('runName', () => {
  it('never changes for the same push, as stored runs are found by it', () => {
    assert.equal(runName(push, 1), 'build-onm4bj73fbbh');
    assert.equal(runName(push, 2), 'build-onm4bj73fbbh-2');
  });

  it('differs when any part of the identity differs, and not when parts only run into each other', () => {
    const others = [
      { ...push, gitHook: { name: 'build', uid: 'uid-2' } },
      { ...push, repository: 'github.com/acme/app2' },
      { ...push, ref: 'refs/heads/main2' },
      { ...push, after: 'b'.repeat(40) },
      { ...push, repository: 'github.com/acme/apprefs', ref: '/heads/main' },
    ];
    assert.equal(new Set([push, ...others].map((identity) => runName(identity, 1))).size, 6);
  });

  it('is a valid name of at most 63 characters for every name of a GitHook', () => {
    const label = fc.string({ unit: fc.constantFrom(...'abz09-'), minLength: 1, maxLength: 63 });
    const name = fc
      .array(label, { minLength: 1, maxLength: 6 })
      .map((labels) => labels.join('.').slice(0, 253))
      .filter((text) => validName.test(text));
    fc.assert(
      fc.property(name, fc.integer({ min: 1, max: 999 }), (gitHookName, sequence) => {
        const made = runName({ ...push, gitHook: { name: gitHookName, uid: 'u' } }, sequence);
        assert.ok(made.length <= 63 && validName.test(made), made);
      }),
    );
  });
});

describe('runNameByHand', () => {
  const asked = { what: 'rerun' as const, uid: 'uid-1', value: 'v1' };

  it('never changes for the same object and value, and is not the name of a push', () => {
    assert.equal(runNameByHand('build', asked), 'build-vxrungqpe2dn');
    assert.notEqual(runNameByHand('build', asked), runName(push, 1));
  });

  it('differs with the object, the value and what is asked, and is as short for a value of any length', () => {
    const others = [{ uid: 'uid-2' }, { value: 'v2' }, { value: '' }, { what: 'run-now' as const }];
    const names = others.map((other) => runNameByHand('build', { ...asked, ...other }));
    assert.equal(new Set([runNameByHand('build', asked), ...names]).size, 5);
    assert.ok(runNameByHand('b'.repeat(253), { ...asked, value: '\0/'.repeat(100_000) }).length <= 63);
  });
});

describe('decide', () => {
  const at = (minutes: number): string => new Date(Date.UTC(2026, 0, 1) + minutes * 60_000).toISOString();
  const run = (spec: Partial<GitHookRunSpec>, deliveries: { id: string; digest: string; hookId?: string }[] = []) =>
    ({
      metadata: {},
      spec: {
        source: 'Webhook',
        before: 'b',
        pushTime: at(0),
        receivedTime: at(0),
        delivery: { id: 'd1', hookId: 'h1', digest: 'x1' },
        ...spec,
      },
      status: { deliveries },
    }) as unknown as GitHookRun;
  const arrival = (
    change: { id?: string; hookId?: string | undefined; digest?: string; minutes?: number },
    pushed = {},
  ) =>
    ({
      delivery: { id: 'd2', hookId: 'h2', digest: 'x2', ...change },
      push: { before: 'b', pushTime: at(0), ...pushed },
      receivedMs: Date.parse(at(change.minutes ?? 0)),
    }) as Arrival;
  const claimed = [{ id: 'd2', hookId: 'h2', digest: 'x2' }];
  const unsigned = { pushTime: undefined };
  const polled = { source: 'Poll' as const, delivery: undefined, before: 'other', pushTime: undefined };

  const cases: readonly (readonly [name: string, run: GitHookRun, arrival: Arrival, verdict: Verdict])[] = [
    ['the same id', run({}), arrival({ id: 'd1' }), 'duplicate'],
    ['the same body', run({}), arrival({ digest: 'x1' }), 'duplicate'],
    ['an id that was added', run({}, claimed), arrival({ digest: 'x9' }), 'duplicate'],
    ['a body that was added', run({}, claimed), arrival({ id: 'd9' }), 'duplicate'],
    ['another hook', run({}), arrival({}), 'claim'],
    ['another hook, unknown before', run({ before: undefined }), arrival({}), 'claim'],
    ['another hook that says no before', run({}), arrival({}, { before: undefined }), 'claim'],
    ['another hook, another before', run({}), arrival({}, { before: 'c' }), 'next'],
    ['the same hook again', run({}), arrival({ hookId: 'h1' }), 'next'],
    ['an added hook again', run({}, claimed), arrival({ id: 'd3', digest: 'x3' }), 'next'],
    ['no hook id on either', run({ delivery: { id: 'd1', digest: 'x1' } }), arrival({ hookId: undefined }), 'next'],
    ['signed 9 minutes later', run({}), arrival({}, { pushTime: at(9) }), 'claim'],
    ['signed 9 minutes earlier', run({}), arrival({}, { pushTime: at(-9) }), 'claim'],
    ['signed 10 minutes later', run({}), arrival({}, { pushTime: at(10) }), 'next'],
    ['signed together, received a day later', run({}), arrival({ minutes: 1440 }), 'claim'],
    ['unsigned, received within the hour', run(unsigned), arrival({ minutes: 59 }, unsigned), 'claim'],
    ['unsigned, received after an hour', run(unsigned), arrival({ minutes: 60 }, unsigned), 'next'],
    ['polled, signed a minute after', run(polled), arrival({}, { pushTime: at(1) }), 'claim'],
    ['polled, signed long before', run(polled), arrival({}, { pushTime: at(-60) }), 'claim'],
    ['polled, signed two minutes after', run(polled), arrival({}, { pushTime: at(2) }), 'next'],
    ['polled, unsigned within ten minutes', run(polled), arrival({ minutes: 9 }, unsigned), 'claim'],
    ['polled, unsigned after ten minutes', run(polled), arrival({ minutes: 10 }, unsigned), 'next'],
    ['polled and claimed by this hook', run(polled, claimed), arrival({ id: 'd3', digest: 'x3' }), 'next'],
  ];
  for (const [name, existing, arriving, verdict] of cases) {
    it(`${name}: ${verdict}`, () => assert.equal(decide(existing, arriving), verdict));
  }
});

describe('covers', () => {
  const at = (seconds: number): string => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString();
  const unseenMs = Date.parse(at(0));
  const run = (receivedTime: string, pushTime?: string) =>
    ({ spec: { receivedTime, ...(pushTime && { pushTime }) } }) as unknown as GitHookRun;
  for (const [name, existing, covered] of [
    ['received since', run(at(1)), true],
    ['received within the minute that clocks may be apart', run(at(-60)), true],
    ['received before that', run(at(-61)), false],
    ['received and signed before', run(at(-600), at(-700)), false],
    ['received before by one clock, signed since by another', run(at(-600), at(1)), true],
  ] as const) {
    it(`${covered ? 'takes' : 'does not take'} a run ${name} for what the poll saw`, () => {
      assert.equal(covers(existing, unseenMs), covered);
    });
  }
});
