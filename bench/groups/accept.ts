// `npm run bench -- accept`: how many pushes a second are recorded durably, beside what the API server itself can take. Run by
// bench/main.ts. kube-git is a replica that does not lead: every replica receives, one advances.
import { randomBytes, randomUUID } from 'node:crypto';
import type { GitHookRun } from '../../src/api/githookrun.ts';
import { startKubeGit } from '../../test/env/kube-git.ts';
import type { Push } from '../../test/faults/long/pushes.ts';
import { type Figure, sampleOf } from '../figure.ts';
import type { Bench, Group } from '../group.ts';
import { ApiClient } from '../load/api-client.ts';
import { type Deliveries, startDeliveries } from '../load/deliveries.ts';
import { asDeployed } from '../load/kube-git-options.ts';
import { holdLease } from '../load/lease.ts';
import { createGitHook, makePlace, type Place } from '../load/place.ts';

const connections = [1, 16, 64];
/** One repeat: so long it is sent at full speed. */
const windowMs = 700;
const namespace = 'bench-accept';
const gitUrl = 'https://git.example.com';
const hook = { namespace, name: 'hook', repository: 'acme/app', branch: 'main' };

export const accept: Group = {
  name: 'accept',
  title: 'Pushes recorded a second by one replica, beside bare creates of the same object',
  measure,
};

async function measure(bench: Bench): Promise<readonly Figure[]> {
  const place = await makePlace(bench, namespace);
  await createGitHook(place, hook.name, { repository: `${gitUrl}/${hook.repository}.git`, branches: ['*'] });
  await holdLease(bench, place);
  const { kubeconfig } = await bench.cluster();
  const options = { kubeconfig, program: bench.program, env: asDeployed, args: ['-namespace', namespace] };
  const { url } = await startKubeGit(bench, options);
  const run = await firstRun(place, startDeliveries({ url, gitUrl, connections: 1, signal: bench.signal }));
  const figures: Figure[] = [];
  for (const count of connections) figures.push(...(await measureAt(count, { bench, place, url, run })));
  return figures;
}

interface World {
  readonly bench: Bench;
  readonly place: Place;
  readonly url: string;
  /** As it is created for each push. */
  readonly run: GitHookRun;
}

async function firstRun(place: Place, deliveries: Deliveries): Promise<GitHookRun> {
  await deliveries.send(newPush());
  deliveries.close();
  const [run] = await place.client.list<GitHookRun>(place.runs);
  if (run === undefined) throw new Error('the first push has no run');
  return run;
}

/** In turns, so that a mood of the machine hits both. */
async function measureAt(count: number, { bench, place, url, run }: World): Promise<readonly Figure[]> {
  bench.tell(`${count} connections`);
  const deliveries = startDeliveries({ url, gitUrl, connections: count, signal: bench.signal });
  const client = new ApiClient(place.client.server, bench.signal, count);
  const [rates, bareRates, slowest]: number[][] = [[], [], []];
  let again = 0;
  for (let repeat = 0; repeat < bench.repeats; repeat++) {
    const sent = await fullSpeed(count, async () => {
      again += await deliveries.send(newPush());
    });
    const bare = await fullSpeed(count, () => client.call('POST', place.runs, copyOf(run)));
    rates?.push(sent.perSecond);
    slowest?.push(sampleOf(sent.ms).p99);
    bareRates?.push(bare.perSecond);
  }
  deliveries.close();
  client.close();
  const at = `${count} ${count === 1 ? 'connection' : 'connections'}`;
  const reference = { name: 'bare creates', sample: sampleOf(bareRates ?? []) };
  const goal = count === 16 ? { goal: { atLeast: 0.7 } } : {};
  return [
    { name: `${at}: accepted`, unit: 'per second', sample: sampleOf(rates ?? []), reference, ...goal },
    { name: `${at}: 99 of 100 answers within`, unit: 'ms', sample: sampleOf(slowest ?? []), goal: { atMost: 1000 } },
    { name: `${at}: answers other than 2xx`, unit: 'calls', sample: sampleOf([again]), goal: { atMost: 0 } },
  ];
}

/** So many at a time for the length of a window. */
async function fullSpeed(
  count: number,
  one: () => Promise<unknown>,
): Promise<{ readonly perSecond: number; readonly ms: readonly number[] }> {
  const ms: number[] = [];
  const start = performance.now();
  const worker = async (): Promise<void> => {
    while (performance.now() - start < windowMs) {
      const from = performance.now();
      await one();
      ms.push(performance.now() - from);
    }
  };
  await Promise.all(Array.from({ length: count }, worker));
  return { perSecond: (ms.length / (performance.now() - start)) * 1000, ms };
}

function newPush(): Push {
  const [commit, before] = [randomBytes(20).toString('hex'), randomBytes(20).toString('hex')];
  return { hook, commit, before, id: randomUUID() };
}

/** As kube-git sends it: without what the API server added. */
function copyOf({ apiVersion, kind, metadata, spec }: GitHookRun): object {
  const { labels, annotations, ownerReferences, finalizers } = metadata as GitHookRun['metadata'] & {
    readonly finalizers?: readonly string[];
  };
  const own = { labels, annotations, ownerReferences, finalizers, name: `bare-${randomUUID()}` };
  return { apiVersion, kind, metadata: own, spec };
}
