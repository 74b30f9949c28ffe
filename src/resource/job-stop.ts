// How a live Job is stopped. Its pods are ended as they are at any deadline: with their grace period.
import type { KubeObject } from '../api/object.ts';
import { observeJob } from './job-phase.ts';
import { at } from './mapping.ts';
import type { Stop } from './resource.ts';

/** The shortest deadline the API takes. A Job that has run for longer fails at once, and stays to be looked at. */
export const stopSeconds = 1;

/** A suspended Job has no deadline, but no pods either. */
export function stopJob(live: KubeObject): Stop {
  const { phase, reason } = observeJob(live);
  const hasOurDeadline = at(live, 'spec', 'activeDeadlineSeconds') === stopSeconds;
  if (phase !== 'Running') return hasOurDeadline && reason === 'DeadlineExceeded' ? 'stopped' : 'ended';
  if (at(live, 'metadata', 'deletionTimestamp')) return 'stopped';
  if (at(live, 'spec', 'suspend') === true) return 'delete';
  return hasOurDeadline ? 'stopped' : { patch: { spec: { activeDeadlineSeconds: stopSeconds } } };
}
