// The steps of a scenario: the push, the end of its Job, the neighbour's push, rest.
import { setTimeout as delay } from 'node:timers/promises';
import type { GitHookRun } from '../../src/api/githookrun.ts';
import type { KubeObject } from '../../src/api/object.ts';
import { isEnded } from '../../src/api/phase.ts';
import { endJob } from '../env/scenario.ts';
import { waitFor } from '../env/wait.ts';
import type { Lane } from './lane.ts';
import { neighbourLimitMs } from './oracles.ts';
import { isWork } from './points.ts';
import type { Scene } from './scenario.ts';
import { jobsIn, neighbourBranch, runsIn } from './site.ts';

/** Nobody calls for so long: longer than what kube-git puts off on purpose, the status of a GitHook. */
const restMs = 1_000;
/** From then on nobody may. */
const quietMs = 1_000;
/** What does not rest by then never does. */
const restLimitMs = 15_000;

/** Pushes as a forge does, and presses "Redeliver" for as long as the answer is not 2xx, as a person or a forge's log does. */
export async function pushUntilTaken(scene: Scene, manifest: string, patienceMs: number): Promise<void> {
  const { forge } = scene.lane;
  await push(scene.lane, 'main', manifest);
  const isTaken = (): boolean =>
    forge.deliveries.some(({ id, answer }) => id === scene.delivery() && answer !== undefined && answer.status < 300);
  await waitFor(async () => isTaken() || void (await forge.redeliver(scene.delivery() ?? '')), {
    what: 'the delivery to be taken',
    deadlineMs: patienceMs,
    everyMs: 100,
  });
}

/** Resolves when it was answered; `at` is when it was told of (performance.now). */
async function push(
  { forge, repository }: Lane,
  branch: string,
  manifest: string,
): Promise<{ readonly commit: string; readonly at: number }> {
  const ref = `refs/heads/${branch}`;
  const before = (await repository.ref(ref)) ?? '0'.repeat(40);
  const after = await repository.commit({ 'job.yaml': manifest, README: `${Math.random()}` }, { branch });
  const at = performance.now();
  await forge.announce({ repository: repository.name, ref, before, after });
  return { commit: after, at };
}

/** Changes the branch, and no webhook tells of it. */
export async function pushUnheard({ repository }: Lane, manifest: string): Promise<void> {
  await repository.commit({ 'job.yaml': manifest, README: `${Math.random()}` });
}

/** Ends the Job once everybody knows that it runs; resolves when the run has ended and everybody knows that too. */
export async function untilEnd(scene: Scene, patienceMs: number, meanwhile: () => Promise<void>): Promise<void> {
  const step = async (): Promise<boolean> => {
    await meanwhile();
    const runs = (await runsIn(scene.namespace)).filter(({ spec }) => spec.gitHookRef.name === 'app');
    if (runs.length > 0 && runs.every(isOver)) return true;
    if (runs.some(knowStart)) await endJobs(scene.namespace);
    return false;
  };
  await waitFor(step, { what: 'the run to end and everybody to know it', deadlineMs: patienceMs, everyMs: 50 });
}

function isOver(run: GitHookRun): boolean {
  const { sinks = [], resource, handedBack } = run.status ?? {};
  const told = sinks.every((sink) => sink.told === sink.desired);
  return isEnded(run) && told && (resource?.uid === undefined || handedBack === true);
}

function knowStart({ status }: GitHookRun): boolean {
  return status?.sinks?.every(({ told }) => told === 'Started') === true;
}

/** Ends those that have not. */
export async function endJobs(namespace: string): Promise<void> {
  for (const job of await jobsIn(namespace)) {
    if (!hasEnded(job)) await endJob(namespace, job.metadata.name ?? '', 'Succeeded');
  }
}

export function hasEnded(job: KubeObject): boolean {
  return (job['status'] as { completionTime?: string } | undefined)?.completionTime !== undefined;
}

/** How long it took from its delivery to its end, in milliseconds. */
export async function pushToNeighbour(lane: Lane, namespace: string): Promise<number> {
  const { commit, at } = await push(lane, neighbourBranch, '');
  const ended = async (): Promise<boolean> =>
    (await runsIn(namespace)).some((run) => run.spec.commit === commit && isEnded(run));
  await waitFor(ended, { what: "the neighbour's run to end", deadlineMs: 30_000 });
  return performance.now() - at;
}

/** The same when all is over. One that was slow is tried again: a busy machine has moments that are no fault of anybody's. */
export async function pushToNeighbourAtLast(lane: Lane, namespace: string): Promise<number> {
  const first = await pushToNeighbour(lane, namespace);
  return first <= neighbourLimitMs ? first : Math.min(first, await pushToNeighbour(lane, namespace));
}

/** Waits until nobody calls any more, then for a while in which nobody may. Returns when that began (performance.now). */
export async function untilAtRest(lane: Lane): Promise<number> {
  const isAtRest = (): boolean =>
    lane.callsSince(performance.now() - restMs).every(({ what, door }) => !isWork(what) || door === 'webhook');
  // One that never rests is for the oracle to say.
  await waitFor(isAtRest, { what: 'rest', deadlineMs: restLimitMs }).catch(() => undefined);
  const from = performance.now();
  await delay(quietMs);
  return from;
}
