// testdata/job-statuses.json: statuses as the Job controller of 1.34 writes them, and what is made of them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { KubeObject } from '../api/object.ts';
import { job } from './job.ts';
import type { Observation } from './resource.ts';

interface Row {
  readonly name: string;
  readonly status: unknown;
  readonly seen: Observation;
}

const rows: readonly Row[] = JSON.parse(readFileSync(new URL('testdata/job-statuses.json', import.meta.url), 'utf8'));

function live(status: unknown, fields: { readonly metadata?: object; readonly spec?: unknown } = {}): KubeObject {
  const metadata = { name: 'x', namespace: 'team-a', uid: '3c9f', ...fields.metadata };
  return { apiVersion: 'batch/v1', kind: 'Job', metadata, spec: fields.spec ?? {}, status };
}

const complete = { succeeded: 1, conditions: [{ type: 'Complete', status: 'True' }] };
const deletion = { deletionTimestamp: '2026-11-22T16:00:00Z' };

describe('a live Job', () => {
  for (const { name, status, seen } of rows) {
    it(`with ${name} is ${seen.phase}: ${seen.reason}`, () => assert.deepEqual(job.observe(live(status)), seen));
  }

  it('that is suspended says how it starts, and has no pods to look at', () => {
    assert.deepEqual(
      job.observe(live({ conditions: [{ type: 'Suspended', status: 'True' }] }, { spec: { suspend: true } })),
      {
        phase: 'Running',
        reason: 'Suspended',
        message: `The Job is suspended and starts when spec.suspend is false: kubectl patch job x -n team-a --type=merge -p '{"spec":{"suspend":false}}'`,
      },
    );
  });

  it('that is being deleted before its end is Deleting', () => {
    assert.equal(job.observe(live({ active: 1 }, { metadata: deletion })).reason, 'Deleting');
  });

  it('that ended before it was deleted keeps its outcome', () => {
    assert.equal(job.observe(live(complete, { metadata: deletion })).phase, 'Succeeded');
  });

  it('that was suspended after its end keeps its outcome', () => {
    assert.equal(job.observe(live(complete, { spec: { suspend: true } })).phase, 'Succeeded');
  });

  it('without a UID that may stand in a selector has no pods to look at', () => {
    for (const uid of ['', 'a,b=c', 'x'.repeat(64), 5, undefined]) {
      assert.equal(job.observe(live({}, { metadata: { uid } })).waitingPods, undefined);
    }
  });

  it('of any shape is observed: a phase, one word of reason, a message of bounded length', () => {
    const odd = fc.jsonValue({ maxDepth: 3 });
    const condition = fc.record({
      type: fc.constantFrom('Complete', 'Failed', 'FailureTarget', 'x'),
      status: fc.constantFrom('True', 'False', 1),
      reason: odd,
      message: odd,
      lastTransitionTime: odd,
    });
    const conditions = fc.oneof(odd, fc.array(fc.oneof(odd, condition), { maxLength: 4 }));
    const status = fc.oneof(
      odd,
      fc.record(
        { active: odd, ready: odd, succeeded: odd, failed: odd, completionTime: odd, conditions },
        { requiredKeys: [] },
      ),
    );
    fc.assert(
      fc.property(status, odd, odd, (of, spec, metadata) => {
        const { phase, reason, message } = job.observe({
          ...live(of),
          spec,
          ...(metadata ? { metadata: metadata as object } : {}),
        });
        assert.ok(['Running', 'Succeeded', 'Failed'].includes(phase));
        assert.match(reason, /^[A-Za-z][A-Za-z0-9_]*$/);
        assert.ok(message.length < 1000);
      }),
      { numRuns: 500 },
    );
  });
});
