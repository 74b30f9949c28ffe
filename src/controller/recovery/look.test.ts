import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ListedRef } from '../../git/git.ts';
import { type Baseline, digestsOf, knownIn } from './baseline.ts';
import { baselineAfter, type LookFacts, look } from './look.ts';

const at = (letter: string): ListedRef => ({ id: letter.repeat(40), peeled: letter.repeat(40) });
const listOf = (refs: Readonly<Record<string, string>>) =>
  new Map(Object.entries(refs).map(([ref, letter]) => [ref, at(letter)]));
const of = { repository: 'git.example.com/acme/app', branches: ['*'] };
const baseline = (refs: Readonly<Record<string, string>>, asOfMs = 1_000): Baseline => ({
  ...of,
  asOfMs,
  digests: digestsOf(listOf(refs)),
});
const facts = (change: Partial<LookFacts>): LookFacts => ({
  refs: new Map(),
  startedMs: 10_000,
  baseline: baseline({}),
  before: undefined,
  settleMs: 5_000,
  wants: () => true,
  hasRun: () => false,
  ...change,
});

describe('look', () => {
  it('sees nothing where everything is where it was, and nothing in what was deleted', () => {
    const seen = look(facts({ refs: listOf({ a: '1', b: '2' }), baseline: baseline({ a: '1', b: '2', gone: '3' }) }));
    assert.deepEqual(seen, { open: [], due: [] });
  });

  it('opens what has moved and what is new, unseen since the baseline', () => {
    const { open, due } = look(facts({ refs: listOf({ a: '2', c: '3' }), baseline: baseline({ a: '1' }) }));
    assert.deepEqual(
      open.map(({ ref, unseenMs, firstSeenMs }) => [ref, unseenMs, firstSeenMs]),
      [
        ['a', 1_000, 10_000],
        ['c', 1_000, 10_000],
      ],
    );
    assert.deepEqual(due, []);
  });

  it('takes what it saw itself where that is newer than the baseline', () => {
    const before = { lookedMs: 8_000, open: [] };
    assert.equal(look(facts({ refs: listOf({ a: '2' }), before })).open[0]?.unseenMs, 8_000);
  });

  it('makes due what has stood for the time that webhooks have, and begins anew for what has moved on', () => {
    const first = look(facts({ refs: listOf({ a: '2', b: '2' }), startedMs: 5_000 }));
    const before = { lookedMs: 5_000, open: first.open };
    const second = look(facts({ refs: listOf({ a: '2', b: '3' }), startedMs: 10_000, before }));
    assert.deepEqual(
      second.due.map(({ ref, unseenMs }) => [ref, unseenMs]),
      [['a', 1_000]],
    );
    assert.deepEqual(
      second.open.map(({ ref, unseenMs }) => [ref, unseenMs]),
      [
        ['a', 1_000],
        ['b', 5_000],
      ],
    );
  });

  it('leaves out what is not wanted and what has its run', () => {
    const refs = listOf({ a: '2', b: '2', c: '2' });
    const { open } = look(facts({ refs, wants: (ref) => ref !== 'a', hasRun: ({ ref }) => ref === 'b' }));
    assert.deepEqual(
      open.map(({ ref }) => ref),
      ['c'],
    );
  });
});

describe('baselineAfter', () => {
  it('knows everything but what is open, as of the time from which that is unseen', () => {
    const refs = listOf({ a: '1', b: '2' });
    const [open] = look(facts({ refs, baseline: baseline({ a: '1' }) })).open;
    assert.ok(open);
    const after = baselineAfter({ refs, startedMs: 10_000 }, [open], of);
    const isKnown = knownIn(after);
    assert.deepEqual([isKnown('a', at('1')), isKnown('b', at('2')), after.asOfMs], [true, false, 1_000]);
    assert.equal(baselineAfter({ refs, startedMs: 10_000 }, [], of).asOfMs, 10_000);
  });

  it('keeps what was known before while something is open, so that a server that goes back for a moment starts nothing', () => {
    const stored = baseline({ a: '2', b: '1' });
    const stale = { refs: listOf({ a: '1', b: '1' }), startedMs: 10_000 };
    const { open } = look(facts({ ...stale, baseline: stored }));
    const after = baselineAfter(stale, open, { ...of, before: stored });
    assert.deepEqual(after.digests, stored.digests);
    assert.deepEqual(look(facts({ refs: listOf({ a: '2', b: '1' }), baseline: after })).open, []);
  });

  it('forgets what was known before when nothing is open, or when it has become too much', () => {
    const stored = baseline({ a: '1', b: '1' });
    const list = { refs: listOf({ a: '2' }), startedMs: 10_000 };
    assert.deepEqual(baselineAfter(list, [], { ...of, before: stored }).digests, digestsOf(list.refs));
    const many = { ...stored, digests: Buffer.alloc(6 * 2_000) };
    const { open } = look(facts({ ...list, baseline: many }));
    assert.equal(open.length, 1);
    assert.equal(baselineAfter(list, open, { ...of, before: many }).digests.length, 0);
  });

  it('is the same bytes in whatever order the server lists', () => {
    const refs = listOf({ a: '1', b: '2', c: '3' });
    const reversed = new Map([...refs].reverse());
    assert.deepEqual(digestsOf(refs), digestsOf(reversed));
  });

  it('tells a tag that was made anew for the same commit from the old one', () => {
    const tag = { id: 'a'.repeat(40), peeled: 'c'.repeat(40) };
    const isKnown = knownIn({ ...of, asOfMs: 0, digests: digestsOf([['refs/tags/v1', tag]]) });
    assert.equal(isKnown('refs/tags/v1', { ...tag, id: 'b'.repeat(40) }), false);
  });
});
