// What the pods of a run's resource say, where the resource alone does not tell a person enough: why nothing starts,
// what the container that failed said, and why there are no pods.
import type { GitHookRun } from '../../api/githookrun.ts';
import { type KubeObject, keyOf } from '../../api/object.ts';
import type { Standing } from '../../api/phase.ts';
import { ApiError, type Kube, type ListOptions, type ResourceType } from '../../kube/kube.ts';
import { type Explanation, explainFailure, explainPods } from '../../resource/pods.ts';
import { explainRefusal, needsMore, refusalSelector } from '../../resource/refusals.ts';
import type { Observation } from '../../resource/resource.ts';
import type { Looks } from './looks.ts';

const podType = { group: '', version: 'v1', plural: 'pods' } as const;
const eventType = { group: '', version: 'v1', plural: 'events' } as const;

/** A Job has no pods yet while its controller is busy; Events are read from etcd, all of the namespace at each look. */
const refusalsFromMs = 5_000;

/**
 * The observation as the run's standing, with the pods' words added: while it runs those of the last look, until the next one is
 * due. A missing right to read pods or Events costs only those.
 */
export async function explain(
  run: GitHookRun,
  seen: Observation,
  { kube, looks }: { readonly kube: Kube; readonly looks: Looks },
  signal: AbortSignal,
): Promise<Standing> {
  const { waitingPods, failedPods, ...standing } = seen;
  const selector = seen.phase === 'Failed' ? failedPods : waitingPods;
  if (selector === undefined) return standing;
  if (seen.phase === 'Running' && !looks.isDue(run)) return { ...standing, ...looks.lastFound(run) };
  const list = listOf(kube, run, signal);
  const pods = await list(podType, { labelSelector: selector });
  if (seen.phase === 'Running') {
    const found = explainPods(pods) ?? (await refusal(run, pods, { list, looks }));
    looks.note(run, found);
    return { ...standing, ...found };
  }
  const hint = explainFailure(pods);
  return hint === undefined ? standing : { ...standing, message: `${seen.message} ${hint}` };
}

async function refusal(
  run: GitHookRun,
  pods: readonly KubeObject[],
  { list, looks }: { readonly list: List; readonly looks: Looks },
): Promise<Explanation | undefined> {
  const { uid } = run.status?.resource ?? {};
  if (uid === undefined || !needsMore(pods) || looks.ageMs(run) < refusalsFromMs) return undefined;
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
