// What the pods of a resource tell that the resource itself does not: why nothing starts, and how a container ended.
// Called by the controller with pods of any shape; pure.
import type { KubeObject } from '../api/object.ts';
import { oneLine } from '../text.ts';
import { at, type Mapping, mappingsAt, textAt } from './mapping.ts';
import { saying } from './words.ts';

/** Characters of a name that are shown; a valid one is no longer. */
const nameLimit = 253;

export interface Explanation {
  readonly reason: string;
  readonly message: string;
}

/** What is wrong with the image, by the kubelet's reason (k8s.io/kubernetes/pkg/kubelet/images). */
const imageTroubles: Readonly<Record<string, string>> = {
  ErrImagePull: 'cannot be pulled',
  ImagePullBackOff: 'cannot be pulled',
  ErrImageNeverPull: 'is not on the node, and imagePullPolicy is Never',
  InvalidImageName: 'is no valid name of an image',
};

/** What is wrong with the container, by the kubelet's reason (k8s.io/kubernetes/pkg/kubelet/kuberuntime). */
const containerTroubles: Readonly<Record<string, string>> = {
  CreateContainerConfigError: 'cannot be made as it is configured',
  CreateContainerError: 'cannot be made',
  RunContainerError: 'cannot be started',
  CrashLoopBackOff: 'fails again and again, and is started again after ever longer waits',
};

/** Why pods do not start, from the first that says so; undefined where none does: they may only need more time. */
export function explainPods(pods: readonly KubeObject[]): Explanation | undefined {
  for (const pod of pods) {
    if (['Succeeded', 'Failed'].includes(textAt(pod, 'status', 'phase'))) continue;
    const explanation = explainContainers(pod) ?? explainScheduling(pod);
    if (explanation !== undefined) return explanation;
  }
  return undefined;
}

function explainScheduling(pod: KubeObject): Explanation | undefined {
  const scheduled = mappingsAt(pod, 'status', 'conditions').find((condition) => condition['type'] === 'PodScheduled');
  if (scheduled?.['status'] !== 'False') return undefined;
  const reason = textAt(scheduled, 'reason') === 'SchedulingGated' ? 'SchedulingGated' : 'Unschedulable';
  return { reason, message: `Pod ${nameOf(pod)} cannot be scheduled${saying(textAt(scheduled, 'message'))}.` };
}

function explainContainers(pod: KubeObject): Explanation | undefined {
  for (const status of containersOf(pod)) {
    const explanation = explainWaiting(pod, status);
    if (explanation !== undefined) return explanation;
  }
  return undefined;
}

function containersOf(pod: KubeObject): readonly Mapping[] {
  return [...mappingsAt(pod, 'status', 'initContainerStatuses'), ...mappingsAt(pod, 'status', 'containerStatuses')];
}

function explainWaiting(pod: KubeObject, status: Mapping): Explanation | undefined {
  const reason = textAt(status, 'state', 'waiting', 'reason');
  const said = saying(textAt(status, 'state', 'waiting', 'message'));
  const container = oneLine(textAt(status, 'name'), nameLimit);
  if (Object.hasOwn(imageTroubles, reason)) {
    const image = `The image "${oneLine(textAt(status, 'image'), nameLimit)}" of container ${container}`;
    // The kubelet goes to and fro between the two while it tries again: one word for both.
    const steady = reason === 'ErrImagePull' ? 'ImagePullBackOff' : reason;
    return { reason: steady, message: `${image} ${imageTroubles[reason]}${said}.` };
  }
  if (!Object.hasOwn(containerTroubles, reason)) return undefined;
  // Of a crash loop the kubelet only says how long it waits this time.
  const ended = reason === 'CrashLoopBackOff' ? lastEnd(status) : said;
  return { reason, message: `Container ${container} of pod ${nameOf(pod)} ${containerTroubles[reason]}${ended}.` };
}

function lastEnd(status: Mapping): string {
  const end = endOf(status);
  return end === undefined ? '' : `. It last ended with ${end}`;
}

/** How the container that ended last went wrong, as a sentence to add to a failure; undefined where no pod tells. */
export function explainFailure(pods: readonly KubeObject[]): string | undefined {
  const ends = pods.flatMap(endsOf).toSorted((one, other) => one.time - other.time);
  return ends.at(-1)?.message;
}

interface End {
  /** Milliseconds since 1970; 0 where it is not known. */
  readonly time: number;
  readonly message: string;
}

function endsOf(pod: KubeObject): readonly End[] {
  const ends = containersOf(pod).flatMap((status) => {
    const end = endOf(status);
    if (end === undefined) return [];
    const container = oneLine(textAt(status, 'name'), nameLimit);
    const time = Date.parse(textAt(terminatedOf(status), 'finishedAt')) || 0;
    return [{ time, message: `Container ${container} of pod ${nameOf(pod)} ended with ${end}.` }];
  });
  return ends.length > 0 ? ends : endOfPod(pod);
}

/** A pod that failed as a whole, such as an evicted one, has no container that says why. */
function endOfPod(pod: KubeObject): readonly End[] {
  const reason = oneLine(textAt(pod, 'status', 'reason'), nameLimit);
  if (textAt(pod, 'status', 'phase') !== 'Failed' || reason === '') return [];
  const said = saying(textAt(pod, 'status', 'message'));
  return [{ time: 0, message: `Pod ${nameOf(pod)} failed with ${reason}${said}.` }];
}

/** The exit code, the reason, and the last words the container left; undefined where it did not end badly. */
function endOf(status: Mapping): string | undefined {
  const terminated = terminatedOf(status);
  const code = at(terminated, 'exitCode');
  if (typeof code !== 'number' || code === 0) return undefined;
  const reason = oneLine(textAt(terminated, 'reason'), nameLimit);
  // Error is what the kubelet says of every exit code but 0.
  const why = reason === 'Error' || reason === '' ? '' : ` (${meaningOf(reason)})`;
  return `exit code ${code}${why}${saying(textAt(terminated, 'message'))}`;
}

function meaningOf(reason: string): string {
  return reason === 'OOMKilled' ? 'OOMKilled: it used more memory than its limit' : reason;
}

function terminatedOf(status: Mapping): unknown {
  return at(status, 'state', 'terminated') ?? at(status, 'lastState', 'terminated');
}

function nameOf(pod: KubeObject): string {
  return oneLine(textAt(pod, 'metadata', 'name'), nameLimit);
}
