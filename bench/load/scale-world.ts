// What the group scale measures in: a namespace that fills up, a repository that is pushed to, and one kube-git after another.
// Called by bench/groups/scale.ts.
import { setTimeout as delay } from 'node:timers/promises';
import type { GitHook } from '../../src/api/githook.ts';
import { type Forge, startForge } from '../../test/env/forge.ts';
import { type KubeGit, startKubeGit, webhookSecret } from '../../test/env/kube-git.ts';
import { makePushes, type Push } from '../../test/faults/long/pushes.ts';
import type { Bench } from '../group.ts';
import { settled } from '../process-memory.ts';
import { atOnce } from './api-client.ts';
import { startByteCounter } from './byte-counter.ts';
import { startDeliveries } from './deliveries.ts';
import { notificationsFor, toldTo } from './finished-runs.ts';
import { inTurns } from './in-turns.ts';
import { type JobWatch, watchJobs } from './job-watch.ts';
import { asDeployed } from './kube-git-options.ts';
import { createGitHook, makePlace, type Place, untilAll } from './place.ts';

/** Lost pushes are not looked for, so that only what is measured runs. */
const quiet = ['-poll-interval=0s', '-delivery-log=false'];
const jobWithinMs = 60_000;
/** A push that a fresh process is not measured by: what it does for the first time takes longer. */
const warmUp = 5;

export interface World {
  readonly bench: Bench;
  readonly place: Place;
  readonly forge: Forge;
  readonly jobs: JobWatch;
  /** Each is sent once. */
  readonly pushes: Push[];
}

/** With one GitHook, which can be pushed to `rounds` times `repeats`. */
export async function makeWorld(bench: Bench, rounds: number, repeats: number): Promise<World> {
  const place = await makePlace(bench, 'bench-scale');
  const forge = await startForge({ secret: webhookSecret });
  bench.after(() => forge.stop());
  const hook = { namespace: place.namespace, name: 'pushed', repository: 'acme/pushed', branch: 'main' };
  const pushes = await makePushes(forge, [hook], rounds * (repeats + warmUp));
  await createGitHook(place, hook.name, { repository: `${forge.url}/${hook.repository}.git` });
  return { bench, place, forge, jobs: watchJobs(bench, place), pushes: [...pushes] };
}

interface Started {
  readonly kubeGit: KubeGit;
  /** From the start of the process until it said that it is ready. */
  readonly ms: number;
}

export async function start({ bench, place, forge }: World, master?: string): Promise<Started> {
  const { kubeconfig } = await bench.cluster();
  let from = performance.now();
  const kubeGit = await startKubeGit(bench, {
    ...{ kubeconfig, program: bench.program, env: asDeployed, notifications: notificationsFor(forge) },
    args: ['-namespace', place.namespace, ...quiet],
    ...(master !== undefined && { master }),
    onSpawn: () => {
      from = performance.now();
    },
  });
  return { kubeGit, ms: performance.now() - from };
}

/** Adds what is missing of `count` GitHooks, and returns when kube-git has written the status of all. */
export async function grow(world: World, { from, to }: { readonly from: number; readonly to: number }): Promise<void> {
  const names = Array.from({ length: to - from }, (_, index) => `app-${from + index}`);
  await inTurns(names, atOnce, (name) => createGitHook(world.place, name));
  await untilWritten(world, to, ({ status }) => status?.conditions !== undefined);
}

/** Runs a kube-git until it has written the status of so many GitHooks as told. */
export async function untilWritten(world: World, count: number, isSo: (gitHook: GitHook) => boolean): Promise<void> {
  const { bench, place } = world;
  const { kubeGit } = await start(world);
  await untilAll<GitHook>(bench, place, { path: place.gitHooks, count, what: 'GitHooks written by kube-git', isSo });
  await kubeGit.stop();
}

/** Milliseconds from sending each delivery until its Job was there, one push after another. */
export async function timePushes({ bench, forge, jobs, pushes }: World, kubeGit: KubeGit): Promise<readonly number[]> {
  const { signal, repeats } = bench;
  const deliveries = startDeliveries({ url: kubeGit.url, gitUrl: forge.url, connections: 1, signal });
  const times: number[] = [];
  for (const push of pushes.splice(0, repeats + warmUp)) {
    const had = jobs.times.length;
    const from = performance.now();
    await deliveries.send(push);
    await jobs.until(had + 1, jobWithinMs);
    times.push((jobs.times[had] ?? 0) - from);
  }
  deliveries.close();
  return times.slice(warmUp);
}

/** KiB that the API server sends to a kube-git that has nothing to do, in so much time. */
export async function receivedIdle(world: World, ms: number): Promise<number> {
  const { bench, place } = world;
  const counter = await startByteCounter(new URL(place.client.server.server));
  bench.after(() => counter.close());
  const { kubeGit } = await start(world, `https://127.0.0.1:${counter.port}`);
  await settled(kubeGit.pid);
  const before = counter.bytes();
  await delay(ms, undefined, { signal: bench.signal });
  const bytes = counter.bytes() - before;
  await kubeGit.stop();
  return bytes / 1024;
}

/** Pushes to a GitHook of its own whose runs are told to sinks; kube-git runs until the run is done, told by `done`. */
export async function pushTold<T>(world: World, done: (commit: string) => Promise<T>): Promise<T> {
  const { bench, place, forge } = world;
  const hook = { namespace: place.namespace, name: 'told', repository: 'acme/told', branch: 'main' };
  const [push] = await makePushes(forge, [hook], 1);
  if (push === undefined) throw new Error('no push was made');
  const spec = { repository: `${forge.url}/${hook.repository}.git`, notification: toldTo };
  await createGitHook(place, hook.name, spec);
  const { kubeGit } = await start(world);
  const deliveries = startDeliveries({ url: kubeGit.url, gitUrl: forge.url, connections: 1, signal: bench.signal });
  await deliveries.send(push);
  const result = await done(push.commit);
  deliveries.close();
  await kubeGit.stop();
  return result;
}
