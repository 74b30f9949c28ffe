import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ownTtlAnnotation } from '../api/keys.ts';
import type { KubeObject } from '../api/object.ts';
import { handOverSeconds } from './hand-over.ts';
import { job } from './job.ts';
import { stopSeconds } from './job-stop.ts';
import type { ResourceKind } from './resource.ts';
import { slim } from './slim.ts';
import { workflow } from './workflow.ts';
import { handedOver } from './workflow-ttl.ts';

const metadata = {
  ...{ name: 'build', namespace: 'team', uid: 'u', creationTimestamp: '2026-11-30T12:00:00Z' },
  labels: { 'kubegit.appspero.com/run': 'app-1' },
  annotations: { [ownTtlAnnotation]: '120' },
  managedFields: [{ manager: 'kube-git' }],
};
const template = { spec: { containers: [{ name: 'build', image: 'busybox', env: [{ name: 'A', value: 'b' }] }] } };
const condition = (type: string, more: object = {}) => ({
  type,
  status: 'True',
  lastTransitionTime: '2026-11-30T12:01:00Z',
  ...more,
});
const node = (type: string, phase: string, more: object = {}) => ({
  ...{ id: 'n', type, phase, name: `build.${type}`, displayName: type, finishedAt: '2026-11-30T12:01:00Z' },
  ...{ inputs: { parameters: [] }, resourcesDuration: { cpu: 1 }, children: ['x'] },
  ...more,
});

const lives: readonly [ResourceKind, Readonly<Record<string, unknown>>, unknown][] = [
  [job, { template }, undefined],
  [job, { template }, { active: 1 }],
  [job, { template }, { active: 1, ready: 1 }],
  [job, { template, suspend: true }, {}],
  [job, { template, ttlSecondsAfterFinished: handOverSeconds, activeDeadlineSeconds: stopSeconds }, { active: 1 }],
  [job, { template, backoffLimit: 0 }, { conditions: [condition('Failed', { reason: 'BackoffLimitExceeded' })] }],
  [job, { template }, { succeeded: 2, completionTime: '2026-11-30T12:02:00Z', conditions: [condition('Complete')] }],
  [job, { template }, 'no status at all'],
  [
    workflow,
    { templates: [template], arguments: {} },
    { phase: 'Running', storedTemplates: { a: template }, nodes: { n: node('Pod', 'Running') } },
  ],
  [workflow, { templates: [], suspend: true, ttlStrategy: handedOver }, { phase: 'Running' }],
  [workflow, { shutdown: 'Terminate' }, { phase: 'Failed', message: 'Stopped', finishedAt: '2026-11-30T12:02:00Z' }],
  [workflow, { shutdown: 'Stop' }, { phase: 'Running', nodes: { n: node('Suspend', 'Running') } }],
  [
    workflow,
    {},
    { phase: 'Running', nodes: { n: node('Pod', 'Pending', { message: 'pods "x" is forbidden: exceeded quota' }) } },
  ],
  [workflow, {}, { phase: 'Running', nodes: { n: node('Pod', 'Pending', { message: 'ImagePullBackOff: Back-off' }) } }],
  [workflow, {}, { phase: 'Failed', nodes: { n: node('Pod', 'Failed', { message: 'exit code 3' }), odd: 'no node' } }],
];

describe('a resource as it is kept in memory', () => {
  for (const [kind, spec, status] of lives) {
    it(`says what it said: ${kind.title} ${JSON.stringify(status)?.slice(0, 60)}`, () => {
      const live: KubeObject = { apiVersion: kind.apiVersion, kind: kind.kind, metadata, spec, status };
      const kept = slim(live, kind);
      for (const read of ['observe', 'handBack', 'stop'] as const)
        assert.deepEqual(kind[read](kept), kind[read](live), read);
      assert.deepEqual({ ...kept.metadata, managedFields: metadata.managedFields }, metadata);
      assert.ok(!JSON.stringify(kept).includes('busybox'));
    });
  }
});
