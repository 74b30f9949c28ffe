// `npm run bench -- push`: from the delivery of a push until its Job is there. Run by bench/main.ts. The repository is of 1 MB, the
// manifest lies two folders deep, and every push changes it: nothing of what kube-git has to read can be remembered.
import { startGitServer } from '../../test/env/git-server.ts';
import { startKubeGit } from '../../test/env/kube-git.ts';
import { startProxy } from '../../test/env/proxy.ts';
import type { Push } from '../../test/faults/long/pushes.ts';
import { type Figure, sampleOf } from '../figure.ts';
import type { Bench, Group } from '../group.ts';
import { timedAtRate } from '../load/at-rate.ts';
import { bareCreateAndFetch, emptyRepository } from '../load/bare-push.ts';
import { startDeliveries } from '../load/deliveries.ts';
import { asDeployed } from '../load/kube-git-options.ts';
import { createGitHook, makePlace, type Place } from '../load/place.ts';
import { type JobTimes, makePushRepository, watchByCommit } from '../load/push-world.ts';
import { spans } from '../load/spans.ts';

const manifest = 'deploy/jobs/build.yaml';
const warmUp = 5;
const perSecond = 20;
const atRate = 10 * perSecond;

export const push: Group = {
  name: 'push',
  title: 'From the delivery of a push until its Job is there, beside a bare create and a bare fetch of the commit',
  measure,
};

interface World {
  readonly bench: Bench;
  readonly place: Place;
  readonly pushes: Push[];
  readonly gitUrl: string;
  readonly jobs: JobTimes;
}

async function measure(bench: Bench): Promise<readonly Figure[]> {
  const place = await makePlace(bench, 'bench-push');
  const git = await startGitServer();
  bench.after(() => git.stop());
  const hook = { namespace: place.namespace, name: 'hook', repository: 'acme/app', branch: 'main' };
  const pushes = await makePushRepository(bench, git, { hook, manifest, count: 2 * (bench.repeats + warmUp) + atRate });
  const world = { bench, place, pushes, gitUrl: git.url, jobs: watchByCommit(bench, place) };
  await createGitHook(place, hook.name, { repository: `${git.url}/${hook.repository}.git`, branches: ['*'], manifest });
  const [alone, many] = await timePushes(world);
  const traced = await tracePushes(world);
  return [...alone, ...many, ...traced];
}

async function timePushes(world: World): Promise<readonly [readonly Figure[], readonly Figure[]]> {
  const { bench, place } = world;
  const { kubeconfig } = await bench.cluster();
  const args = ['-namespace', place.namespace];
  const kubeGit = await startKubeGit(bench, { kubeconfig, program: bench.program, env: asDeployed, args });
  const figures = [await oneByOne(world, kubeGit.url), await atARate(world, kubeGit.url)] as const;
  await kubeGit.stop('SIGTERM');
  return figures;
}

async function oneByOne(world: World, url: string): Promise<readonly Figure[]> {
  const { bench, pushes, gitUrl, jobs } = world;
  bench.tell('one push at a time');
  const deliveries = startDeliveries({ url, gitUrl, connections: 1, signal: bench.signal });
  const times: number[] = [];
  const bare: number[] = [];
  for (const each of pushes.splice(0, bench.repeats + warmUp)) {
    const from = performance.now();
    await deliveries.send(each);
    times.push((await jobs.of(each.commit)) - from);
    bare.push(await bareCreateAndFetch(world, each, await emptyRepository(bench)));
  }
  deliveries.close();
  const reference = { name: 'create + git fetch --depth=1', sample: sampleOf(bare.slice(warmUp)) };
  const sample = sampleOf(times.slice(warmUp));
  return [{ name: 'one push at a time', unit: 'ms', sample, reference, goal: { atMost: 1 } }];
}

async function atARate(world: World, url: string): Promise<readonly Figure[]> {
  const { bench, pushes, gitUrl, jobs } = world;
  bench.tell(`${perSecond} pushes a second`);
  const deliveries = startDeliveries({ url, gitUrl, connections: 64, signal: bench.signal });
  const some = pushes.splice(0, atRate);
  const times = await timedAtRate(some, perSecond, bench.signal, async (each) => {
    await deliveries.send(each);
    return jobs.of(each.commit);
  });
  deliveries.close();
  bench.tell(`${perSecond} bare creates and fetches a second`);
  const work: { readonly each: Push; readonly folder: string }[] = [];
  for (const each of some) work.push({ each, folder: await emptyRepository(bench) });
  const bare = await timedAtRate(work, perSecond, bench.signal, async ({ each, folder }) => {
    await bareCreateAndFetch(world, each, folder);
    return performance.now();
  });
  const reference = { name: `create + git fetch --depth=1, ${perSecond} a second`, sample: sampleOf(bare) };
  return [
    { name: `${perSecond} pushes a second`, unit: 'ms', sample: sampleOf(times), reference, goal: { atMost: 1 } },
  ];
}

/** The steps of a push as a proxy before the API server and one before git see them: they take a little longer so. */
async function tracePushes({ bench, place, pushes, gitUrl, jobs }: World): Promise<readonly Figure[]> {
  bench.tell('steps of one push');
  const cluster = await bench.cluster();
  const api = await startProxy({ target: new URL(cluster.server), ca: cluster.ca });
  bench.after(() => api.close());
  const git = await startProxy({ target: new URL(gitUrl) });
  bench.after(() => git.close());
  await place.client.call('PATCH', `${place.gitHooks}/hook`, { spec: { repository: `${git.url}/acme/app.git` } });
  const { kubeconfig } = cluster;
  const options = { kubeconfig, master: api.url, program: bench.program, env: asDeployed };
  const { url } = await startKubeGit(bench, { ...options, args: ['-namespace', place.namespace] });
  const deliveries = startDeliveries({ url, gitUrl: git.url, connections: 1, signal: bench.signal });
  const steps = new Map<string, number[]>();
  for (const [index, each] of pushes.splice(0, bench.repeats + warmUp).entries()) {
    const from = performance.now();
    await deliveries.send(each);
    await jobs.of(each.commit);
    if (index < warmUp) continue;
    for (const { name, ms } of spans({ from, api: api.log, git: git.log })) {
      steps.set(name, [...(steps.get(name) ?? []), ms]);
    }
  }
  deliveries.close();
  return [...steps].map(([name, values]): Figure => ({ name: `step: ${name}`, unit: 'ms', sample: sampleOf(values) }));
}
