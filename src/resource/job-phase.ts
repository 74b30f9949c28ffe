// How far a live Job has come. Its status is written by the Job controller or by another program in its place
// (spec.managedBy), so nothing in it is taken for granted.
import type { KubeObject } from '../api/object.ts';
import { at, countAt, type Mapping, mappingsAt, textAt } from './mapping.ts';
import type { Observation } from './resource.ts';
import { words } from './words.ts';

/** What to change, by the reasons of the Job controller (k8s.io/api/batch/v1, JobReason…). */
const advice: Readonly<Record<string, string>> = {
  BackoffLimitExceeded: 'Its pods failed more often than spec.backoffLimit allows.',
  DeadlineExceeded: 'It ran longer than spec.activeDeadlineSeconds allows.',
  PodFailurePolicy: 'A pod failed in a way that spec.podFailurePolicy says to fail at.',
  MaxFailedIndexesExceeded: 'More indexes failed than spec.maxFailedIndexes allows.',
  FailedIndexes: 'Some of its indexes failed.',
};

export function observeJob(live: KubeObject): Observation {
  const complete = conditionOf(live, 'Complete');
  if (complete !== undefined) return succeeded(live, complete);
  const failed = conditionOf(live, 'Failed');
  return failed === undefined ? going(live) : failure(live, failed);
}

function conditionOf(live: KubeObject, type: string): Mapping | undefined {
  const conditions = mappingsAt(live, 'status', 'conditions');
  return conditions.find((condition) => condition['type'] === type && condition['status'] === 'True');
}

function succeeded(live: KubeObject, condition: Mapping): Observation {
  const count = countAt(live, 'status', 'succeeded');
  return {
    phase: 'Succeeded',
    reason: 'Completed',
    message: `The Job completed: ${count} ${count === 1 ? 'pod' : 'pods'} succeeded.`,
    ...endOf(textAt(live, 'status', 'completionTime') || textAt(condition, 'lastTransitionTime')),
  };
}

function failure(live: KubeObject, condition: Mapping): Observation {
  const pods = podsOf(live);
  const reason = reasonOf(condition);
  const said = words(textAt(condition, 'message'));
  const why = Object.hasOwn(advice, reason) ? advice[reason] : undefined;
  return {
    phase: 'Failed',
    reason,
    message: ['The Job failed.', why, said && `Kubernetes says: ${said}.`].filter(Boolean).join(' '),
    ...endOf(textAt(condition, 'lastTransitionTime')),
    ...(pods && { failedPods: pods }),
  };
}

/** What the API allows as a reason; anything else could not be stored in the run's condition. */
function reasonOf(condition: Mapping): string {
  const reason = textAt(condition, 'reason');
  return /^[A-Za-z][A-Za-z0-9_]{0,62}$/.test(reason) ? reason : 'Failed';
}

function endOf(time: string): { readonly completionTime?: string } {
  const ms = Date.parse(time);
  return Number.isNaN(ms) ? {} : { completionTime: new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z') };
}

function going(live: KubeObject): Observation {
  if (at(live, 'metadata', 'deletionTimestamp')) {
    return running('Deleting', 'The Job is being deleted before its end.');
  }
  const ending = conditionOf(live, 'FailureTarget') ?? conditionOf(live, 'SuccessCriteriaMet');
  if (ending !== undefined) return finishing(ending);
  if (at(live, 'spec', 'suspend') === true) return running('Suspended', resume(live));
  // No numbers of pods: each change of them would be a write to the run, thousands for a large Job.
  return { ...running('Running', 'The Job is running.'), ...waiting(live) };
}

function running(reason: string, message: string): Observation {
  return { phase: 'Running', reason, message };
}

/** The outcome is known, but Complete or Failed follows only when its last pod is gone. */
function finishing(condition: Mapping): Observation {
  const outcome = condition['type'] === 'FailureTarget' ? `has failed (${reasonOf(condition)})` : 'has succeeded';
  return running('Finishing', `The Job ${outcome} and waits for its last pods to end.`);
}

function resume(live: KubeObject): string {
  const { namespace = '', name = '' } = live.metadata;
  return `The Job is suspended and starts when spec.suspend is false: kubectl patch job ${name} -n ${namespace} --type=merge -p '{"spec":{"suspend":false}}'`;
}

/** The Job's pods, when none of them is ready: they may say why. */
function waiting(live: KubeObject): { readonly waitingPods?: string } {
  const pods = podsOf(live);
  return pods === undefined || countAt(live, 'status', 'ready') > 0 ? {} : { waitingPods: pods };
}

/** The selector of the Job's pods; undefined where its UID is none that may stand in one. */
function podsOf(live: KubeObject): string | undefined {
  const uid = textAt(live, 'metadata', 'uid');
  return /^[\w-]{1,63}$/.test(uid) ? `batch.kubernetes.io/controller-uid=${uid}` : undefined;
}
