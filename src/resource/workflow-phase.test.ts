// testdata/workflow-statuses.json: statuses as Argo's workflow controller of 3.7 writes them, and what is made of them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { KubeObject } from '../api/object.ts';
import type { Observation } from './resource.ts';
import { workflow } from './workflow.ts';

interface Row {
  readonly name: string;
  readonly spec?: unknown;
  readonly status?: unknown;
  readonly seen: Observation;
}

const rows: readonly Row[] = JSON.parse(
  readFileSync(new URL('testdata/workflow-statuses.json', import.meta.url), 'utf8'),
);

function live(status: unknown, spec: unknown = {}, more: object = {}): KubeObject {
  const metadata = { name: 'x', namespace: 'team-a', uid: '3c9f', ...more };
  return { apiVersion: 'argoproj.io/v1alpha1', kind: 'Workflow', metadata, spec, status };
}

const deletion = { deletionTimestamp: '2026-11-22T16:00:00Z' };

describe('a live Workflow', () => {
  for (const { name, spec, status, seen } of rows) {
    it(`with ${name} is ${seen.phase}: ${seen.reason}`, () =>
      assert.deepEqual(workflow.observe(live(status, spec)), seen));
  }

  it('that is being deleted before its end is Deleting, and keeps its outcome after its end', () => {
    assert.equal(workflow.observe(live({ phase: 'Running' }, {}, deletion)).reason, 'Deleting');
    assert.equal(workflow.observe(live({ phase: 'Succeeded' }, {}, deletion)).phase, 'Succeeded');
  });

  it('of any shape is observed: a phase, one word of reason, a message of bounded length', () => {
    const phase = fc.constantFrom('', 'Pending', 'Running', 'Succeeded', 'Failed', 'Error', 'toString', 5, null);
    const node = fc.record(
      {
        type: fc.constantFrom('Pod', 'Suspend', 7),
        phase,
        message: fc.oneof(fc.string(), fc.constant(`ErrImagePull: ${'x'.repeat(10_000)}`), fc.jsonValue()),
        displayName: fc.oneof(fc.jsonValue(), fc.constant('y'.repeat(10_000))),
        finishedAt: fc.oneof(fc.jsonValue(), fc.constant('2026-11-22T16:00:00Z')),
      },
      { requiredKeys: [] },
    );
    const status = fc.record(
      {
        phase,
        message: fc.oneof(fc.string(), fc.jsonValue(), fc.constant('z'.repeat(10_000))),
        nodes: fc.oneof(fc.dictionary(fc.string(), fc.oneof(node, fc.jsonValue())), fc.jsonValue()),
        finishedAt: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    const spec = fc.record(
      { shutdown: fc.constantFrom('Stop', 'Terminate', '', 'constructor', 1), suspend: fc.jsonValue() },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(status, fc.jsonValue()), fc.oneof(spec, fc.jsonValue()), (anyStatus, anySpec) => {
        const seen = workflow.observe(live(anyStatus, anySpec));
        assert.ok(['Running', 'Succeeded', 'Failed'].includes(seen.phase));
        assert.match(seen.reason, /^[A-Za-z]{1,63}$/);
        assert.ok(seen.message.length > 0 && seen.message.length < 2000 && !/\p{Cc}/u.test(seen.message));
      }),
    );
  });
});
