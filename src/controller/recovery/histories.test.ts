// Random pushes of one commit to a branch that is elsewhere in between, with webhooks that come at once, late or never, and
// looks every ten minutes: by the rules of the receiver and of the poll together there are as many runs as pushes.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { GitHookRun } from '../../api/githookrun.ts';
import { covers, decide } from '../../api/identity.ts';
import type { Baseline } from './baseline.ts';
import { baselineAfter, look, type Memory, type Sighting } from './look.ts';

const minuteMs = 60_000;
const startMs = Date.UTC(2026, 0, 1);
const settleMs = 2 * minuteMs;
const intervalMs = 10 * minuteMs;
/** The ref stays where it is for so long at least: twice a look and the time that webhooks have. */
const leastStayMs = 25 * minuteMs;
const of = { repository: 'r', branches: ['*'] };
const ours = { id: 'a'.repeat(40), peeled: 'a'.repeat(40) };

/** The commit is pushed, stays for a while, and another takes its place for a while. */
interface TestPush {
  readonly stayMs: number;
  readonly awayMs: number;
  /** When its webhook arrives after the push; none where it is lost. */
  readonly webhookMs: number | undefined;
}

interface Move {
  readonly atMs: number;
  readonly push: number | undefined;
}

function movesOf(pushes: readonly TestPush[]): Move[] {
  let atMs = startMs + 5 * minuteMs;
  return pushes.flatMap(({ stayMs, awayMs }, push) => {
    const moves = [
      { atMs, push },
      { atMs: atMs + stayMs, push: undefined },
    ];
    atMs += stayMs + awayMs;
    return moves;
  });
}

const endOf = (moves: readonly Move[]): number => (moves.at(-1)?.atMs ?? startMs) + 10 * 60 * minuteMs;

/** The world as it goes by: one ref, the poll with what it keeps, and the runs. */
class World {
  readonly runs: GitHookRun[] = [];
  #baseline: Baseline = baselineAfter({ refs: new Map(), startedMs: startMs }, [], of);
  #memory: Memory | undefined;
  readonly #moves: readonly Move[];

  constructor(moves: readonly Move[]) {
    this.#moves = moves;
  }

  /** Returns when the poll wants to look again. */
  look(atMs: number): number | undefined {
    const here = this.#moves.findLast((move) => move.atMs <= atMs)?.push !== undefined;
    const list = { refs: new Map(here ? [['refs/heads/main', ours]] : []), startedMs: atMs };
    const hasRun = ({ unseenMs }: Sighting): boolean => this.runs.some((run) => covers(run, unseenMs));
    const facts = { ...list, baseline: this.#baseline, before: this.#memory, settleMs, wants: () => true, hasRun };
    const { open, due } = look(facts);
    for (const { unseenMs } of due) {
      if (!this.runs.some((run) => covers(run, unseenMs))) this.#add({ source: 'Poll', receivedTime: iso(atMs) });
    }
    const left = open.filter((one) => !due.includes(one));
    this.#baseline = baselineAfter(list, left, { ...of, before: this.#baseline });
    this.#memory = { lookedMs: atMs, open: left };
    return left[0] && left[0].firstSeenMs + settleMs;
  }

  /** A new process: what is remembered is what was stored. */
  restart(): void {
    this.#memory = undefined;
  }

  deliver(push: number, atMs: number): void {
    const delivery = { id: `d${push}`, hookId: 'h', digest: `x${push}` };
    const pushTime = iso(this.#moves.find((move) => move.push === push)?.atMs ?? 0);
    const arrival = { delivery, push: { before: undefined, pushTime }, receivedMs: atMs };
    for (const [index, run] of this.runs.entries()) {
      const verdict = decide(run, arrival);
      if (verdict === 'duplicate') return;
      if (verdict === 'next') continue;
      this.runs[index] = { ...run, status: { deliveries: [delivery] } } as unknown as GitHookRun;
      return;
    }
    this.#add({ source: 'Webhook', delivery, pushTime, receivedTime: iso(atMs) });
  }

  #add(spec: object): void {
    this.runs.push({ metadata: {}, spec } as unknown as GitHookRun);
  }
}

const iso = (ms: number): string => new Date(ms).toISOString();

function runsAfter(pushes: readonly TestPush[], restartsMs: readonly number[]): number {
  const moves = movesOf(pushes);
  const world = new World(moves);
  const looks = Array.from({ length: Math.ceil((endOf(moves) - startMs) / intervalMs) }, (_, i) => i * intervalMs);
  type Step = { readonly atMs: number; readonly run: () => void };
  const steps: Step[] = [];
  const add = (atMs: number, run: () => void): void => {
    const index = steps.findIndex((step) => step.atMs > atMs);
    steps.splice(index < 0 ? steps.length : index, 0, { atMs, run });
  };
  const lookAt = (atMs: number): void => {
    const again = world.look(atMs);
    if (again !== undefined && again > atMs) add(again, () => lookAt(again));
  };
  for (const ms of looks) add(startMs + ms, () => lookAt(startMs + ms));
  for (const ms of restartsMs) add(startMs + ms, () => world.restart());
  for (const { push, atMs } of moves) {
    const webhookMs = push === undefined ? undefined : pushes[push]?.webhookMs;
    if (push !== undefined && webhookMs !== undefined)
      add(atMs + webhookMs, () => world.deliver(push, atMs + webhookMs));
  }
  for (let step = steps.shift(); step; step = steps.shift()) step.run();
  return world.runs.length;
}

describe('poll and webhooks, over random histories', () => {
  const stay = fc.integer({ min: leastStayMs, max: 5 * 60 * minuteMs });
  const webhookMs = fc.oneof(
    fc.constant(undefined),
    fc.integer({ min: 0, max: minuteMs }),
    fc.integer({ min: minuteMs, max: 9 * 60 * minuteMs }),
  );
  const pushes = fc.array(fc.record({ stayMs: stay, awayMs: stay, webhookMs }), { minLength: 1, maxLength: 5 });
  const restarts = fc.array(fc.integer({ min: 0, max: 20 * 60 * minuteMs }), { maxLength: 6 });

  it('make one run a push, whether its webhook comes before the look, after it or never, and with restarts', () => {
    fc.assert(
      fc.property(pushes, restarts, (history, restartsMs) =>
        assert.equal(runsAfter(history, restartsMs), history.length),
      ),
      { numRuns: 2_000 },
    );
  });
});
