// `npm run bench -- burst`: many pushes at once, as after an outage of the forge, to one kube-git that receives and advances. Run
// by bench/main.ts. A burst is one repeat: what it has of a kind once is a sample of one value, and rates are one value a second.
import type { GitHookRun } from '../../src/api/githookrun.ts';
import type { KubeObject } from '../../src/api/object.ts';
import { type GitServer, startGitServer } from '../../test/env/git-server.ts';
import { startKubeGit } from '../../test/env/kube-git.ts';
import { type HookPlan, makePushes, type Push } from '../../test/faults/long/pushes.ts';
import { type Figure, sampleOf } from '../figure.ts';
import type { Bench, Group } from '../group.ts';
import { bareCreates, createBare } from '../load/bare-creates.ts';
import { type Deliveries, type Sent, startDeliveries } from '../load/deliveries.ts';
import { inTurns } from '../load/in-turns.ts';
import { type JobWatch, watchJobs } from '../load/job-watch.ts';
import { asDeployed } from '../load/kube-git-options.ts';
import { createGitHook, makePlace, type Place, untilAll } from '../load/place.ts';
import { memoryOf } from '../process-memory.ts';
import { ratesOf } from '../rates.ts';

/** Pushes and bare creates at full size. */
const full = { pushes: 10_000, creates: 8_000 };
const gitHooks = 200;
const gitHooksOfRepository = 4;
/** Of the forge. */
const connections = 64;
/** A first push, and all of the burst, have this long. */
const firstWithinMs = 60_000;
const allWithinMs = 20 * 60_000;

export const burst: Group = {
  name: 'burst',
  title: `Pushes to ${gitHooks} GitHooks, sent over ${connections} connections as fast as they are taken`,
  measure,
};

interface World {
  readonly bench: Bench;
  readonly place: Place;
  readonly pid: number;
  readonly deliveries: Deliveries;
  readonly jobs: JobWatch;
}

/** By performance.now(). */
interface Burst extends Sent {
  readonly from: number;
  readonly jobs: readonly number[];
}

async function measure(bench: Bench): Promise<readonly Figure[]> {
  const place = await makePlace(bench, 'bench-burst');
  const git = await startGitServer();
  bench.after(() => git.stop());
  const [first, ...pushes] = await preparePushes(bench, place, git);
  if (first === undefined) throw new Error('no push was made');
  const world = await startWorld(bench, place, git);
  const job = await tryOut(world, first);
  bench.tell('bare creates');
  const bareFrom = performance.now();
  const bare = await createBare(bench, job, Math.ceil(full.creates * bench.size));
  bench.tell(`${pushes.length} pushes`);
  const seen = await run(world, pushes);
  const memory = await memoryOf(world.pid);
  await check(place, [first, ...pushes]);
  const reference = { name: bareCreates, sample: sampleOf(ratesOf(bare, bareFrom)) };
  return figuresOf(seen, reference, memory?.peak ?? 0);
}

/** The GitHooks, and one push more than the burst has. */
async function preparePushes(bench: Bench, place: Place, git: GitServer): Promise<readonly Push[]> {
  const hooks = Array.from({ length: gitHooks }, (_, index) => planOf(place.namespace, index));
  const pushes = await makePushes(git, hooks, Math.ceil(full.pushes * bench.size) + 1);
  await inTurns(hooks, 16, ({ name, repository, branch }) =>
    createGitHook(place, name, { repository: `${git.url}/${repository}.git`, branches: [branch] }),
  );
  return pushes;
}

function planOf(namespace: string, index: number): HookPlan {
  const repository = `acme/app-${Math.floor(index / gitHooksOfRepository)}`;
  return { namespace, name: `hook-${index}`, repository, branch: `line-${index % gitHooksOfRepository}` };
}

/** kube-git, which has seen all GitHooks. */
async function startWorld(bench: Bench, place: Place, git: GitServer): Promise<World> {
  const jobs = watchJobs(bench, place);
  const { kubeconfig } = await bench.cluster();
  const options = { kubeconfig, program: bench.program, env: asDeployed, args: ['-namespace', place.namespace] };
  const { url, pid } = await startKubeGit(bench, options);
  const deliveries = startDeliveries({ url, gitUrl: git.url, connections, signal: bench.signal });
  bench.after(() => deliveries.close());
  const isSo = ({ status }: { status?: { conditions?: unknown } }): boolean => status?.conditions !== undefined;
  const wanted = { path: place.gitHooks, count: gitHooks, what: 'GitHooks that kube-git has seen', isSo };
  await untilAll<KubeObject & { status?: { conditions?: unknown } }>(bench, place, wanted);
  return { bench, place, pid, deliveries, jobs };
}

/** The Job of a first push. */
async function tryOut({ place, deliveries, jobs }: World, push: Push): Promise<KubeObject> {
  await deliveries.send(push);
  await jobs.until(1, firstWithinMs);
  const [job] = await place.client.list<KubeObject>(place.jobs);
  if (job === undefined) throw new Error('the first Job is gone');
  return { ...job, apiVersion: 'batch/v1', kind: 'Job' };
}

async function run({ bench, deliveries, jobs }: World, pushes: readonly Push[]): Promise<Burst> {
  const before = jobs.times.length;
  const from = performance.now();
  const accepted = async (): Promise<Sent> => {
    const sent = await deliveries.sendAll(pushes);
    bench.tell(`accepted after ${((performance.now() - from) / 1000).toFixed(1)} s; ${jobs.times.length} Jobs`);
    return sent;
  };
  const [sent] = await Promise.all([accepted(), jobs.until(before + pushes.length, allWithinMs)]);
  bench.tell(`all Jobs after ${((performance.now() - from) / 1000).toFixed(1)} s`);
  return { ...sent, from, jobs: jobs.times.slice(before) };
}

/** Throws when a push was lost or has two of anything. */
async function check({ client, runs: runsPath, jobs: jobsPath }: Place, pushes: readonly Push[]): Promise<void> {
  const runs = await client.list<GitHookRun>(runsPath);
  const jobs = await client.list<KubeObject>(jobsPath);
  const commits = new Set(runs.map(({ spec }) => spec.commit));
  const owners = new Set(jobs.map(({ metadata }) => metadata.ownerReferences?.[0]?.uid));
  const lost = pushes.filter(({ commit }) => !commits.has(commit));
  const idle = runs.filter(({ metadata }) => !owners.has(metadata.uid));
  if (lost.length + idle.length > 0 || runs.length !== pushes.length || jobs.length !== pushes.length) {
    const found = `${runs.length} runs and ${jobs.length} Jobs of ${pushes.length} pushes`;
    throw new Error(`${found}; ${lost.length} pushes have no run, ${idle.length} runs no Job`);
  }
}

function figuresOf(
  { from, times, again, jobs }: Burst,
  reference: NonNullable<Figure['reference']>,
  peak: number,
): readonly Figure[] {
  const [accepted, created] = [times.at(-1) ?? from, jobs.at(-1) ?? from];
  const count = times.length.toLocaleString('en');
  return [
    { name: 'deliveries accepted', unit: 'per second', sample: sampleOf(ratesOf(times, from)) },
    { name: `until all ${count} are accepted`, unit: 'ms', sample: sampleOf([accepted - from]) },
    { name: 'deliveries sent again', unit: 'calls', sample: sampleOf([again]) },
    {
      ...{ name: 'Jobs created', unit: 'per second', sample: sampleOf(ratesOf(jobs, from)) },
      ...{ reference, goal: { atLeast: 1 / 12 } },
    },
    { name: `until all ${count} Jobs are created`, unit: 'ms', sample: sampleOf([created - from]) },
    { name: 'most memory of kube-git', unit: 'MiB', sample: sampleOf([peak / 1024 ** 2]), goal: { atMost: 512 } },
  ];
}
