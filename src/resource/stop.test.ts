// How each kind of resource is stopped: the contract of ResourceKind.stop for all of the table, then what is special to each.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { KubeObject } from '../api/object.ts';
import { isMapping, type Mapping } from './mapping.ts';
import { resourceKinds } from './registry.ts';
import type { ResourceKind } from './resource.ts';

type Fields = { readonly metadata?: object; readonly spec?: unknown; readonly status?: unknown };

function live({ apiVersion, kind }: ResourceKind, { metadata, spec = {}, status }: Fields): KubeObject {
  return { apiVersion, kind, metadata: { name: 'x', namespace: 'ci', uid: '3c9f', ...metadata }, spec, status };
}

/** A JSON merge patch (RFC 7396), applied. */
function merged(target: unknown, patch: unknown): unknown {
  if (!isMapping(patch)) return patch;
  const result: Record<string, unknown> = isMapping(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}

const deletionTimestamp = '2026-11-22T16:00:00Z';

for (const kind of resourceKinds) {
  describe(`a ${kind.title}`, () => {
    it('that runs is stopped by a patch, once', () => {
      const running = live(kind, { status: { phase: 'Running', active: 1 } });
      const stop = kind.stop(running);
      assert.ok(typeof stop === 'object' && 'patch' in stop);
      assert.equal(kind.stop(merged(running, stop.patch) as KubeObject), 'stopped');
    });

    it('that is being deleted is left to that', () => {
      assert.equal(kind.stop(live(kind, { metadata: { deletionTimestamp } })), 'stopped');
    });

    it('of any shape gets an answer, is not changed, and is never patched twice', () => {
      const spec = fc.oneof(
        fc.jsonValue(),
        fc.record({ suspend: fc.jsonValue(), shutdown: fc.jsonValue(), activeDeadlineSeconds: fc.jsonValue() }),
      );
      const status = fc.oneof(fc.jsonValue(), fc.record({ phase: fc.jsonValue(), conditions: fc.jsonValue() }));
      fc.assert(
        fc.property(spec, status, (anySpec, anyStatus) => {
          const object = live(kind, { spec: anySpec, status: anyStatus });
          const before = JSON.stringify(object);
          const stop = kind.stop(object);
          assert.equal(JSON.stringify(object), before);
          if (typeof stop === 'string') return;
          assert.equal(kind.stop(merged(object, stop.patch) as KubeObject), 'stopped');
        }),
      );
    });
  });
}

type Row = readonly [name: string, fields: Fields, stop: ReturnType<ResourceKind['stop']>];

const failed = (reason: string): Mapping => ({ conditions: [{ type: 'Failed', status: 'True', reason }] });
const deadline = { patch: { spec: { activeDeadlineSeconds: 1 } } };

const rows: Readonly<Record<string, readonly Row[]>> = {
  Job: [
    ['with a deadline of its own', { spec: { activeDeadlineSeconds: 3600 } }, deadline],
    ['that is suspended', { spec: { suspend: true } }, 'delete'],
    ['that is suspended and was to stop before', { spec: { suspend: true, activeDeadlineSeconds: 1 } }, 'delete'],
    ['that is complete', { status: { conditions: [{ type: 'Complete', status: 'True' }] } }, 'ended'],
    [
      'that ended at that deadline',
      { spec: { activeDeadlineSeconds: 1 }, status: failed('DeadlineExceeded') },
      'stopped',
    ],
    [
      'that failed before the deadline counted',
      { spec: { activeDeadlineSeconds: 1 }, status: failed('BackoffLimitExceeded') },
      'ended',
    ],
    ['that ended at its own', { spec: { activeDeadlineSeconds: 60 }, status: failed('DeadlineExceeded') }, 'ended'],
  ],
  Workflow: [
    ['that is suspended', { spec: { suspend: true } }, { patch: { spec: { shutdown: 'Terminate', suspend: false } } }],
    ['that somebody stops', { spec: { shutdown: 'Stop' } }, { patch: { spec: { shutdown: 'Terminate' } } }],
    ['that somebody terminates', { spec: { shutdown: 'Terminate' } }, 'stopped'],
    ['that succeeded', { status: { phase: 'Succeeded' } }, 'ended'],
    ['that failed', { status: { phase: 'Failed' } }, 'ended'],
    ['that was terminated', { spec: { shutdown: 'Terminate' }, status: { phase: 'Failed' } }, 'stopped'],
    [
      'that was terminated while it waited for a lock',
      { spec: { shutdown: 'Terminate' }, status: { phase: 'Succeeded' } },
      'stopped',
    ],
  ],
};

for (const kind of resourceKinds) {
  describe(`how a ${kind.title} is stopped`, () => {
    for (const [name, fields, stop] of rows[kind.kind] ?? []) {
      it(name, () => assert.deepEqual(kind.stop(live(kind, fields)), stop));
    }
    it('is told here', () => assert.ok((rows[kind.kind] ?? []).length > 3));
  });
}
