// What the pods of a run's resource say, where the resource alone does not tell a person enough: why nothing starts,
// what the container that failed said, and why there are no pods.
import type { GitHookRun } from '../../api/githookrun.ts';
import { type KubeObject, keyOf } from '../../api/object.ts';
import type { Standing } from '../../api/phase.ts';
import type { Clock } from '../../clock.ts';
import { ApiError, type Kube, type ListOptions, type ResourceType } from '../../kube/kube.ts';
import { type Explanation, explainFailure, explainPods } from '../../resource/pods.ts';
import { explainRefusal, needsMore, refusalSelector } from '../../resource/refusals.ts';
import type { Observation } from '../../resource/resource.ts';

const podType = { group: '', version: 'v1', plural: 'pods' } as const;
const eventType = { group: '', version: 'v1', plural: 'events' } as const;

/** Between two looks at pods that do not start: soon after the start, later once a minute. */
const firstLookMs = 2_000;
const laterLookMs = 60_000;
/** A Job has no pods yet while its controller is busy; Events are read from etcd, all of the namespace at each look. */
const refusalsFromMs = 5_000;

/** The observation as the run's standing, with the pods' words added. A missing right to read pods or Events costs only those. */
export async function explain(
  run: GitHookRun,
  seen: Observation,
  { kube, clock }: { readonly kube: Kube; readonly clock: Clock },
  signal: AbortSignal,
): Promise<Standing> {
  const { waitingPods, failedPods, ...standing } = seen;
  const selector = seen.phase === 'Failed' ? failedPods : waitingPods;
  if (selector === undefined || (seen.phase === 'Running' && ageOf(run, clock) < firstLookMs)) return standing;
  const list = listOf(kube, run, signal);
  const pods = await list(podType, { labelSelector: selector });
  if (seen.phase === 'Running')
    return { ...standing, ...(explainPods(pods) ?? (await refusal(run, pods, { list, clock }))) };
  const hint = explainFailure(pods);
  return hint === undefined ? standing : { ...standing, message: `${seen.message} ${hint}` };
}

/** In milliseconds; NaN before it has started. */
function ageOf(run: GitHookRun, clock: Clock): number {
  return clock.now() - Date.parse(run.status?.startTime ?? '');
}

/** Half the time the resource has been there, between two seconds and a minute: no state to keep over a restart. */
export function lookAgainMs(run: GitHookRun, clock: Clock): number {
  return Math.min(laterLookMs, Math.max(firstLookMs, ageOf(run, clock) / 2 || firstLookMs));
}

async function refusal(
  run: GitHookRun,
  pods: readonly KubeObject[],
  { list, clock }: { readonly list: List; readonly clock: Clock },
): Promise<Explanation | undefined> {
  const { uid } = run.status?.resource ?? {};
  if (uid === undefined || !needsMore(pods) || ageOf(run, clock) < refusalsFromMs) return undefined;
  return explainRefusal(await list(eventType, { fieldSelector: refusalSelector(uid) }), pods);
}

type List = (type: ResourceType, selector: ListOptions) => Promise<readonly KubeObject[]>;

/** Lists in the run's namespace; nothing where that is not allowed. */
function listOf(kube: Kube, run: GitHookRun, signal: AbortSignal): List {
  return async (type, selector) => {
    try {
      const { items } = await kube.list<KubeObject>(type, { namespace: keyOf(run).namespace, ...selector, signal });
      return items;
    } catch (error) {
      if (error instanceof ApiError && error.status === 403) return [];
      throw error;
    }
  };
}
