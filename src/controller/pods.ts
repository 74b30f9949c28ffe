// What the pods of a run's resource say, where the resource alone does not tell a person enough: why nothing starts,
// and what the container that failed said.
import type { GitHookRun } from '../api/githookrun.ts';
import { type KubeObject, keyOf } from '../api/object.ts';
import type { Standing } from '../api/phase.ts';
import type { Clock } from '../clock.ts';
import { ApiError, type Kube } from '../kube/kube.ts';
import { explainFailure, explainPods } from '../resource/pods.ts';
import type { Observation } from '../resource/resource.ts';

const podType = { group: '', version: 'v1', plural: 'pods' } as const;

/** Between two looks at pods that do not start: soon after the start, later once a minute. */
const firstLookMs = 2_000;
const laterLookMs = 60_000;

/** The observation as the run's standing, with the pods' words added. A missing right to read pods costs only those. */
export async function explain(
  run: GitHookRun,
  seen: Observation,
  { kube, clock }: { readonly kube: Kube; readonly clock: Clock },
  signal: AbortSignal,
): Promise<Standing> {
  const { waitingPods, failedPods, ...standing } = seen;
  const selector = seen.phase === 'Failed' ? failedPods : waitingPods;
  if (selector === undefined || (seen.phase === 'Running' && isFresh(run, clock))) return standing;
  const pods = await podsOf(kube, run, selector, signal);
  if (seen.phase === 'Running') return { ...standing, ...explainPods(pods) };
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

async function podsOf(kube: Kube, run: GitHookRun, labelSelector: string, signal: AbortSignal): Promise<KubeObject[]> {
  try {
    const { items } = await kube.list<KubeObject>(podType, { namespace: keyOf(run).namespace, labelSelector, signal });
    return [...items];
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) return [];
    throw error;
  }
}
