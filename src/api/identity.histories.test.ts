// Random histories of pushes and deliveries: where the rules promise it, there are as many runs as pushes.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { GitHookRun } from './githookrun.ts';
import { decide } from './identity.ts';

const minuteMs = 60_000;
const startMs = Date.UTC(2026, 0, 1);

/** A push of the commit that all runs here are for, from one of two commits, some minutes after the one before. */
interface TestPush {
  readonly before: string;
  readonly gapMinutes: number;
}

interface Told {
  readonly push: number;
  readonly hook: string;
  /** Redeliveries keep the id; a replay has a new one for the same body. */
  readonly id: string;
  readonly atMinute: number;
}

/** What recording does, in memory: walks the sequence by decide. */
function runsAfter(pushes: readonly TestPush[], told: readonly Told[]): number {
  const times = pushes.map((_, index) => startMs + minuteMs * minutesUntil(pushes, index));
  const runs: GitHookRun[] = [];
  for (const { push, hook, id, atMinute } of told) {
    const before = pushes[push]?.before;
    const time = new Date(times[push] ?? 0).toISOString();
    const delivery = { id, hookId: hook, digest: `${push}/${hook}` };
    const receivedMs = startMs + atMinute * minuteMs;
    walk(runs, { delivery, push: { before, pushTime: time }, receivedMs });
  }
  return runs.length;
}

function walk(runs: GitHookRun[], arrival: Parameters<typeof decide>[1]): void {
  for (const [index, run] of runs.entries()) {
    const verdict = decide(run, arrival);
    if (verdict === 'duplicate') return;
    if (verdict === 'next') continue;
    const deliveries = [...(run.status?.deliveries ?? []), arrival.delivery];
    runs[index] = { ...run, status: { deliveries } } as unknown as GitHookRun;
    return;
  }
  const receivedTime = new Date(arrival.receivedMs).toISOString();
  const spec = { source: 'Webhook', delivery: arrival.delivery, receivedTime, ...arrival.push };
  runs.push({ metadata: {}, spec } as unknown as GitHookRun);
}

function minutesUntil(pushes: readonly TestPush[], index: number): number {
  return pushes.slice(1, index + 1).reduce((sum, push) => sum + push.gapMinutes, 0);
}

/** Every hook tells of every push, in any order, some of them again under the same or another id. */
function history(pushes: readonly TestPush[], hooks: readonly string[]): fc.Arbitrary<Told[]> {
  const firsts = pushes.flatMap((_, push) => hooks.map((hook) => ({ push, hook, id: `${push}-${hook}` })));
  const again = fc.record({ first: fc.constantFrom(...firsts), suffix: fc.constantFrom('', '-replayed', '-again') });
  return fc
    .tuple(fc.array(again, { maxLength: 6 }), fc.infiniteStream(fc.integer({ min: 0, max: 10_000 })))
    .chain(([more, minutes]) => {
      const all = [...firsts, ...more.map(({ first, suffix }) => ({ ...first, id: `${first.id}${suffix}` }))];
      return fc
        .shuffledSubarray(all, { minLength: all.length })
        .map((order) => order.map((told) => ({ ...told, atMinute: Number(minutes.next().value) })));
    });
}

describe('decide, over random histories', () => {
  const before = fc.constantFrom('b', 'c');
  const pushesWithGaps = (gaps: fc.Arbitrary<number>) =>
    fc.array(fc.record({ before, gapMinutes: gaps }), { minLength: 1, maxLength: 6 });

  it('makes one run a push for one hook, with redeliveries, replays, disorder and flips at any pace', () => {
    const cases = pushesWithGaps(fc.integer({ min: 0, max: 100 })).chain((pushes) =>
      history(pushes, ['h1']).map((told) => ({ pushes, told })),
    );
    fc.assert(fc.property(cases, ({ pushes, told }) => assert.equal(runsAfter(pushes, told), pushes.length)));
  });

  it('makes one run a push for two hooks, when pushes of one commit are ten minutes apart or all within ten', () => {
    const paces = fc.constantFrom(fc.integer({ min: 10, max: 100 }), fc.constant(1));
    const cases = paces
      .chain((gaps) => pushesWithGaps(gaps))
      .chain((pushes) => history(pushes, ['h1', 'h2']).map((told) => ({ pushes, told })));
    fc.assert(fc.property(cases, ({ pushes, told }) => assert.equal(runsAfter(pushes, told), pushes.length)));
  });
});
