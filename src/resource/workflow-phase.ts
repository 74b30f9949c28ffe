// How far a live Argo Workflow has come. Its status is written by Argo's workflow controller, in whatever version there is,
// so nothing in it is taken for granted. Large Workflows keep their nodes compressed or in a database: then they say less.

import type { KubeObject } from '../api/object.ts';
import { formatTime } from '../clock.ts';
import { oneLine } from '../text.ts';
import { at, isMapping, type Mapping, textAt } from './mapping.ts';
import type { Observation } from './resource.ts';
import { saying, words } from './words.ts';

/** Characters of a step's name that are shown. */
const nameLimit = 100;

/** Suspended steps that are named; there may be one for each item of a loop. */
const namedSteps = 3;

/** Its standing where it says no more than this. */
interface Standing {
  readonly reason: string;
  readonly message: string;
}

/** The phases of a Workflow that has ended (WorkflowPhase of Argo), but Succeeded. To a run they are all Failed. */
const failures: Readonly<Record<string, Standing>> = {
  Failed: { reason: 'Failed', message: 'The Argo Workflow failed.' },
  Error: { reason: 'Error', message: 'The Argo Workflow ended in an error: it could not be carried out.' },
};

/** What spec.shutdown asks for (ShutdownStrategy of Argo): after Stop the exit handlers still run. */
const shutdowns: Readonly<Record<string, { readonly going: Standing; readonly ended: Standing }>> = {
  Stop: {
    going: { reason: 'Stopping', message: 'The Argo Workflow is being stopped.' },
    ended: { reason: 'Stopped', message: 'The Argo Workflow was stopped before its end.' },
  },
  Terminate: {
    going: { reason: 'Terminating', message: 'The Argo Workflow is being terminated.' },
    ended: { reason: 'Terminated', message: 'The Argo Workflow was terminated before its end.' },
  },
};

/** Why a step's pod does not start, as Argo passes it on (getPendingReason): the kubelet's or the scheduler's reason first. */
const podTrouble =
  /^(Unschedulable|ErrImagePull|ImagePullBackOff|ErrImageNeverPull|InvalidImageName|CreateContainerConfigError|CreateContainerError|RunContainerError|CrashLoopBackOff)(?::\s*(.*))?$/s;

export function observeWorkflow(live: KubeObject): Observation {
  const phase = textAt(live, 'status', 'phase');
  if (phase === 'Succeeded') return { phase, reason: 'Completed', message: completed(live), ...endOf(live) };
  const failure = own(failures, phase);
  return failure === undefined ? going(live, phase) : failed(live, failure);
}

function completed(live: KubeObject): string {
  return joined('The Argo Workflow completed.', argoSays(live));
}

function failed(live: KubeObject, failure: Standing): Observation {
  const shutdown = own(shutdowns, textAt(live, 'spec', 'shutdown'))?.ended;
  const { reason, message } = shutdown ?? failure;
  const step = shutdown ? '' : firstFailure(live);
  return { phase: 'Failed', reason, message: joined(message, argoSays(live), step), ...endOf(live) };
}

function going(live: KubeObject, phase: string): Observation {
  if (at(live, 'metadata', 'deletionTimestamp')) {
    return running('Deleting', 'The Argo Workflow is being deleted before its end.');
  }
  const shutdown = own(shutdowns, textAt(live, 'spec', 'shutdown'))?.going;
  if (shutdown !== undefined) return { phase: 'Running', ...shutdown };
  if (at(live, 'spec', 'suspend') === true) return running('Suspended', suspended(live));
  if (phase === '') return running('Pending', 'The Argo Workflow waits for the workflow controller to begin with it.');
  if (phase === 'Pending') return running('Pending', joined('The Argo Workflow has not begun.', argoSays(live)));
  return (
    suspendedSteps(live) ??
    stuckStep(live) ??
    running('Running', joined('The Argo Workflow is running.', argoSays(live)))
  );
}

function running(reason: string, message: string): Observation {
  return { phase: 'Running', reason, message };
}

function suspended(live: KubeObject): string {
  const { namespace = '', name = '' } = live.metadata;
  return `The Argo Workflow is suspended and goes on when spec.suspend is false: kubectl patch workflow ${name} -n ${namespace} --type=merge -p '{"spec":{"suspend":false}}'`;
}

/** Steps that wait for a person, or for a time that only their template knows. */
function suspendedSteps(live: KubeObject): Observation | undefined {
  const waiting = nodesOf(live).filter((node) => node['type'] === 'Suspend' && node['phase'] === 'Running');
  if (waiting.length === 0) return undefined;
  const names = waiting.map(nameOf).sort();
  const shown = names.slice(0, namedSteps).join(', ');
  const more = names.length > namedSteps ? ` and ${names.length - namedSteps} more` : '';
  const { namespace = '', name = '' } = live.metadata;
  return running(
    'Suspended',
    `The Argo Workflow is suspended at ${shown}${more}. Unless a duration is set there it goes on with: argo resume ${name} -n ${namespace}`,
  );
}

/** Why a step's pod is not even created, where Argo tries again: a quota that is used up (IsTransientErr). Other refusals end the Workflow. */
const podRefusal = / is forbidden: /;

/** A step whose pod does not start, in the reason's own words; the Workflow goes on. */
function stuckStep(live: KubeObject): Observation | undefined {
  for (const node of nodesOf(live)) {
    if (node['phase'] !== 'Pending') continue;
    const message = textAt(node, 'message');
    if (podRefusal.test(message)) {
      return running('PodsRefused', `The step ${nameOf(node)} gets no pod, and is tried again${saying(message)}.`);
    }
    const [, reason, said = ''] = podTrouble.exec(message) ?? [];
    if (reason === undefined) continue;
    // The kubelet goes to and fro between these two, and each change would be a write.
    const named = reason === 'ErrImagePull' ? 'ImagePullBackOff' : reason;
    return running(named, `The step ${nameOf(node)} does not start${saying(said)}.`);
  }
  return undefined;
}

/** The step that failed first, which is mostly the one a person wants to look at. */
function firstFailure(live: KubeObject): string {
  const failing = nodesOf(live).filter((node) => node['type'] === 'Pod' && own(failures, textAt(node, 'phase')));
  const [first] = failing.sort((a, b) => endedAt(a) - endedAt(b));
  return first === undefined ? '' : `The first step to fail was ${nameOf(first)}${saying(textAt(first, 'message'))}.`;
}

function endedAt(node: Mapping): number {
  return Date.parse(textAt(node, 'finishedAt')) || Number.MAX_SAFE_INTEGER;
}

function nodesOf(live: KubeObject): readonly Mapping[] {
  const nodes = at(live, 'status', 'nodes');
  return isMapping(nodes) ? Object.values(nodes).filter(isMapping) : [];
}

function nameOf(node: Mapping): string {
  return `"${oneLine(textAt(node, 'displayName') || textAt(node, 'name'), nameLimit)}"`;
}

function argoSays(live: KubeObject): string {
  const said = words(textAt(live, 'status', 'message'));
  return said === '' ? '' : `Argo says: ${said}.`;
}

function endOf(live: KubeObject): { readonly completionTime?: string } {
  const ms = Date.parse(textAt(live, 'status', 'finishedAt'));
  return Number.isNaN(ms) ? {} : { completionTime: formatTime(ms) };
}

function own<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

function joined(...sentences: readonly string[]): string {
  return sentences.filter((sentence) => sentence !== '').join(' ');
}
