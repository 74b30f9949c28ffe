// How a live Argo Workflow is stopped: as `argo terminate` does it, without its exit handlers.
import type { KubeObject } from '../api/object.ts';
import { at, textAt } from './mapping.ts';
import type { Stop } from './resource.ts';
import { observeWorkflow } from './workflow-phase.ts';

/**
 * One that was to be stopped has not ended by itself, whatever its phase says: of one that waits for a lock Argo says
 * Succeeded when it is terminated (releaseLocksForPendingShuttingdownWfs). A suspended one is not looked at before it goes on.
 */
export function stopWorkflow(live: KubeObject): Stop {
  const shutdown = textAt(live, 'spec', 'shutdown');
  if (observeWorkflow(live).phase !== 'Running') return shutdown === '' ? 'ended' : 'stopped';
  const isSuspended = at(live, 'spec', 'suspend') === true;
  if (at(live, 'metadata', 'deletionTimestamp') || (shutdown === 'Terminate' && !isSuspended)) return 'stopped';
  return { patch: { spec: { shutdown: 'Terminate', ...(isSuspended && { suspend: false }) } } };
}
