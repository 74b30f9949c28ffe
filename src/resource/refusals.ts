// Why a Job gets no pods at all: the API server refuses them (a quota, Pod Security, an admission webhook, a ServiceAccount that
// is not there), which only Events of the Job controller tell. Called by the controller with Events of any shape; pure.
import type { KubeObject } from '../api/object.ts';
import { oneLine } from '../text.ts';
import { type Mapping, textAt } from './mapping.ts';
import type { Explanation } from './pods.ts';

/** Characters that are shown: Pod Security names every field of every container. */
const wordsLimit = 2000;

/** The field selector for the Events to hand in. */
export function refusalSelector(uid: string): string {
  return `involvedObject.uid=${uid},reason=FailedCreate`;
}

/** Whether all of them have ended, or there is none: then the next one may be refused. */
export function needsMore(pods: readonly KubeObject[]): boolean {
  return pods.every((pod) => ['Succeeded', 'Failed'].includes(textAt(pod, 'status', 'phase')));
}

/** The last refusal, unless a pod has come since. */
export function explainRefusal(events: readonly KubeObject[], pods: readonly KubeObject[]): Explanation | undefined {
  const [last] = events.toSorted((a, b) => timeOf(b) - timeOf(a));
  if (last === undefined || !needsMore(pods)) return undefined;
  if (pods.some((pod) => Date.parse(textAt(pod, 'metadata', 'creationTimestamp')) > timeOf(last))) return undefined;
  const said = oneLine(textAt(last, 'message'), wordsLimit)
    .replace(/^Error creating: /, '')
    // Each attempt has a name of its own, and each change of the words would be a write to the run.
    .replace(/\bpods? "([^"]*?-)[a-z0-9]{5}"/, 'pods "$1…"')
    .replace(/\.$/, '');
  return { reason: 'PodsRefused', message: `The Job gets no pods, and is tried again: ${said}.` };
}

/** When it was last seen, in milliseconds; 0 where it does not say. */
function timeOf(event: Mapping): number {
  const times = [
    textAt(event, 'series', 'lastObservedTime'),
    textAt(event, 'lastTimestamp'),
    textAt(event, 'eventTime'),
  ];
  return Math.max(0, ...times.map((time) => Date.parse(time) || 0));
}
