// kube-git is killed at each of its outside calls, and at random moments; after a restart there is one Job, and the last
// word is right. KUBEGIT_RANDOM_CRASHES sets how many random moments, KUBEGIT_SEED which.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Ground, startGround, survive } from './crash-scenario.ts';

/** Enough that a few calls more are covered as well; the reference run says how many there are. */
const callLimit = 40;
const randomCrashes = Number(process.env['KUBEGIT_RANDOM_CRASHES'] ?? 10);
const seed = Number(process.env['KUBEGIT_SEED'] ?? Date.now() % 1_000_000);

/** Numbers from 0 to 1 that a seed repeats (mulberry32). */
function random(from: number): () => number {
  let state = from;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

describe('a crash', () => {
  let ground: Ground;

  it('does not happen in the reference run, which needs at most 20 calls for its run', async (t) => {
    ground = await startGround(t);
    const { calls } = await survive(t, ground, () => undefined);
    t.diagnostic(calls.join('\n'));
    const toKubernetes = calls.filter((call) => /^[A-Z]+ \/apis?\/(v1|[a-z.]+\/v1)/.test(call));
    assert.ok(toKubernetes.length > 10 && toKubernetes.length <= 20, `${toKubernetes.length} calls of the API server`);
  });
});

for (const mode of ['before', 'after'] as const) {
  describe(`killed ${mode} an outside call has been applied`, () => {
    it('leaves one Job and the right last word, whichever call it is', { timeout: 600_000 }, async (t) => {
      const ground = await startGround(t);
      for (let victim = 1; victim < callLimit; victim++) {
        const { crashes, calls } = await survive(t, ground, (call, kill) => {
          if (call !== victim) return undefined;
          kill();
          return { kind: mode === 'before' ? 'drop' : 'dropAnswer' };
        });
        t.diagnostic(`${mode} call ${victim}: ${calls[victim - 1] ?? 'there is none'}`);
        if (crashes === 0) break;
      }
    });
  });
}

describe('killed at a random moment', () => {
  it(`leaves one Job and the right last word, ${randomCrashes} times from seed ${seed}`, {
    timeout: 600_000,
  }, async (t) => {
    const ground = await startGround(t);
    const next = random(seed);
    for (let i = 0; i < randomCrashes; i++) {
      const afterMs = next() * 1500; // a run takes about this long here
      let timer: NodeJS.Timeout | undefined;
      await survive(
        t,
        ground,
        () => undefined,
        (kill) => {
          timer = setTimeout(kill, afterMs);
        },
      );
      clearTimeout(timer);
      t.diagnostic(`killed after ${afterMs.toFixed(0)} ms`);
    }
  });
});
