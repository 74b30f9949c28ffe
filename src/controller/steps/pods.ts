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

/** The observation as the run's standing, with the pods' words added. A missing right to read pods or Events costs only those. */
export async function explain(
  run: GitHookRun,
  seen: Observation,
  { kube, clock }: { readonly kube: Kube; readonly clock: Clock },
  signal: AbortSignal,
): Promise<Standing> {
  const { waitingPods, failedPods, ...standing } = seen;
  const selector = seen.phase === 'Failed' ? failedPods : waitingPods;
  if (selector === undefined || (seen.phase === 'Running' && isFresh(run, clock))) return standing;
  const list = listOf(kube, run, signal);
  const pods = await list(podType, { labelSelector: selector });
  if (seen.phase === 'Running') return { ...standing, ...(explainPods(pods) ?? (await refusal(run, pods, list))) };
  const hint = explainFailure(pods);
  return hint === undefined ? standing : { ...standing, message: `${seen.message} ${hint}` };
}

/** Pods need a moment to start: before that there is nothing to explain. */
function isFresh(run: GitHookRun, clock: Clock): boolean {
  return clock.now() - Date.parse(run.status?.startTime ?? '') < firstLookMs;
}

/** Half the time the resource has been there, between two seconds and a minute: no state to keep over a restart. */
export function lookAgainMs(run: GitHookRun, clock: Clock): number {
  const sinceStartMs = clock.now() - Date.parse(run.status?.startTime ?? '');
  return Math.min(laterLookMs, Math.max(firstLookMs, sinceStartMs / 2 || firstLookMs));
}

async function refusal(run: GitHookRun, pods: readonly KubeObject[], list: List): Promise<Explanation | undefined> {
  const { uid } = run.status?.resource ?? {};
  if (uid === undefined || !needsMore(pods)) return undefined;
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
