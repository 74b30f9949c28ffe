// testdata/pods.json: pods as the scheduler and the kubelet of 1.34 write them, and what is said of each.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { KubeObject } from '../api/object.ts';
import { type Explanation, explainFailure, explainPods } from './pods.ts';

interface Row {
  readonly name: string;
  readonly pod: { readonly status: object };
  readonly why?: Explanation;
  readonly failure?: string;
}

const rows: readonly Row[] = JSON.parse(readFileSync(new URL('testdata/pods.json', import.meta.url), 'utf8'));

function pod(status: unknown, name = 'x-1'): KubeObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name }, status };
}

function ended(name: string, finishedAt: string, exitCode: number): KubeObject {
  return pod(
    { phase: 'Failed', containerStatuses: [{ name: 'main', state: { terminated: { exitCode, finishedAt } } }] },
    name,
  );
}

describe('explainPods and explainFailure', () => {
  for (const {
    name,
    pod: { status },
    why,
    failure,
  } of rows) {
    it(`say of ${name}: ${why?.reason ?? failure ?? 'nothing'}`, () => {
      assert.deepEqual(explainPods([pod(status)]), why);
      assert.equal(explainFailure([pod(status)]), failure);
    });
  }

  it('say nothing where there are no pods', () => {
    assert.equal(explainPods([]), undefined);
    assert.equal(explainFailure([]), undefined);
  });

  it('speak of the first pod that does not start, whatever the others do', () => {
    const [unschedulable] = rows;
    const pods = [ended('x-0', '2026-11-22T16:00:00Z', 1), pod({ phase: 'Running' }), pod(unschedulable?.pod.status)];
    assert.equal(explainPods(pods)?.reason, 'Unschedulable');
  });

  it('speak of the container that failed last', () => {
    const pods = [
      ended('x-2', '2026-11-22T16:00:02Z', 2),
      ended('x-3', '2026-11-22T16:00:03Z', 3),
      ended('x-1', '2026-11-22T16:00:01Z', 1),
    ];
    assert.equal(explainFailure(pods), 'Container main of pod x-3 ended with exit code 3.');
  });

  it('bear pods of any shape, in one line of bounded length', () => {
    const odd = fc.jsonValue({ maxDepth: 3 });
    const text = fc.oneof(odd, fc.string({ unit: 'binary', maxLength: 2000 }));
    const state = fc.record(
      {
        waiting: fc.oneof(
          odd,
          fc.record({ reason: fc.constantFrom('ErrImagePull', 'CrashLoopBackOff', 'constructor'), message: text }),
        ),
        terminated: fc.oneof(odd, fc.record({ exitCode: odd, reason: text, message: text, finishedAt: text })),
      },
      { requiredKeys: [] },
    );
    const container = fc.oneof(odd, fc.record({ name: text, image: text, state, lastState: state }));
    const condition = fc.oneof(
      odd,
      fc.record({ type: fc.constant('PodScheduled'), status: fc.constantFrom('False', 0), message: text }),
    );
    const status = fc.oneof(
      odd,
      fc.record({
        phase: odd,
        reason: text,
        message: text,
        conditions: fc.array(condition, { maxLength: 2 }),
        containerStatuses: fc.array(container, { maxLength: 3 }),
      }),
    );
    fc.assert(
      fc.property(fc.array(status, { maxLength: 3 }), (statuses) => {
        const pods = statuses.map((one) => pod(one));
        for (const said of [explainPods(pods)?.message ?? '', explainFailure(pods) ?? '']) {
          assert.ok(said.length < 2000);
          assert.doesNotMatch(said, /\p{Cc}/u);
        }
      }),
      { numRuns: 500 },
    );
  });
});
