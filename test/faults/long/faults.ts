// What can go wrong in a long run, each as a strike that mends itself: after its time, or at once when the signal aborts.
import { setTimeout as delay } from 'node:timers/promises';
import type { Fault, FaultProxy, ProxiedRequest } from '../../env/proxy.ts';
import type { Chance } from './chance.ts';
import type { Replica } from './replica.ts';
import type { World } from './world.ts';

export interface Strike {
  /** For the report: what kind, and in words what exactly. */
  readonly kind: string;
  readonly what: string;
  /** What it hurts: nothing is hurt twice at a time. */
  readonly target: string;
  /** Resolves when it is mended. */
  run(signal: AbortSignal): Promise<void>;
}

type Maker = (world: World, chance: Chance, pace: number) => Strike;

const kill = replicaFault('SIGKILL', async (replica, signal, chance) => {
  await replica.kill();
  await wait(chance.between(0, 2_000), signal);
  await replica.start({ early: true });
});

const ofReplicas: readonly Maker[] = [
  ...[kill, kill, kill],
  replicaFault('SIGTERM', async (replica) => {
    await replica.terminate();
    await replica.start({ early: true });
  }),
  replicaFault('SIGSTOP', async (replica, signal, chance) => {
    replica.signal('SIGSTOP');
    await wait(chance.between(1_000, 12_000), signal);
    replica.signal('SIGCONT');
  }),
  replicaFault('API server refused to one', async ({ apiProxy }, signal, chance) => {
    await apiProxy.down();
    await wait(chance.between(1_000, 10_000), signal);
    await apiProxy.up();
  }),
  replicaFault('API server silent to one', ({ apiProxy }, signal, chance) => {
    apiProxy.resetAll();
    return during(apiProxy, signal, chance.between(1_000, 10_000), held);
  }),
  replicaFault('API server slow to one', ({ apiProxy }, signal, chance) =>
    during(apiProxy, signal, chance.between(3_000, 10_000), () => ({ kind: 'delay', ms: chance.between(100, 2_000) })),
  ),
  replicaFault('API server failing to one', ({ apiProxy }, signal, chance) =>
    during(apiProxy, signal, chance.between(2_000, 8_000), () => failing(chance, 0.3)),
  ),
];

const ofApiServer: readonly Maker[] = [
  (world, chance, pace) => ({
    ...{ kind: 'API server failing', target: 'api', what: 'a third of all requests' },
    run: async (signal) => {
      const ms = chance.between(2_000, 6_000) * pace;
      await Promise.all(world.replicas.map(({ apiProxy }) => during(apiProxy, signal, ms, () => failing(chance, 0.3))));
    },
  }),
  (world) => ({
    ...{ kind: 'API server killed', target: 'api', what: 'and started again' },
    run: () => world.plane.restartApiServer(),
  }),
];

const ofPlaces: readonly Maker[] = (['forge', 'slack', 'git'] as const).flatMap((place) => [
  sinkFault(place, 'down', async (proxy, signal, _, ms) => {
    await proxy.down();
    await wait(ms, signal);
    await proxy.up();
  }),
  sinkFault(place, 'hanging', (proxy, signal, _, ms) => during(proxy, signal, ms, held)),
  sinkFault(place, 'slow', (proxy, signal, chance, ms) =>
    during(proxy, signal, ms, () => ({ kind: 'delay', ms: chance.between(200, 3_000) })),
  ),
  sinkFault(place, 'limiting', (proxy, signal, _, ms) => during(proxy, signal, ms, () => limited(place, ms))),
  sinkFault(place, 'failing', (proxy, signal, chance, ms) => during(proxy, signal, ms, () => failing(chance, 0.5))),
]);

/** What strikes next. Deaths and pauses of replicas are what the promise is about: they come most often. */
export function nextStrike(world: World, chance: Chance, pace: number): Strike {
  const kind = chance.pick([ofReplicas, ofReplicas, ofReplicas, ofApiServer, ofPlaces, ofPlaces]);
  return chance.pick(kind)(world, chance.branch(), pace);
}

function replicaFault(
  kind: string,
  run: (replica: Replica, signal: AbortSignal, chance: Chance) => Promise<void>,
): Maker {
  return (world, chance) => {
    const replica = chance.pick(world.replicas);
    return { kind, what: replica.name, target: replica.name, run: (signal) => run(replica, signal, chance) };
  };
}

function sinkFault(
  place: 'forge' | 'slack' | 'git',
  how: string,
  run: (proxy: FaultProxy, signal: AbortSignal, chance: Chance, ms: number) => Promise<void>,
): Maker {
  return (world, chance, pace) => {
    const ms = chance.between(5_000, 20_000) * pace;
    const proxy = world.proxies[place];
    return {
      kind: `${place} ${how}`,
      what: `${(ms / 1000).toFixed(0)} s`,
      target: place,
      run: (signal) => run(proxy, signal, chance, ms),
    };
  };
}

type MakeFault = (request: ProxiedRequest, until: Promise<unknown>) => Fault | undefined;

async function during(proxy: FaultProxy, signal: AbortSignal, ms: number, fault: MakeFault): Promise<void> {
  const over = wait(ms, signal);
  const remove = proxy.rule((request) => fault(request, over));
  await over;
  remove();
}

const held: MakeFault = (_, until) => ({ kind: 'hold', until });

function failing(chance: Chance, share: number): Fault | undefined {
  if (chance.next() >= share) return undefined;
  return chance.pick<Fault>([
    { kind: 'answer', status: 500, body: 'Internal Server Error' },
    { kind: 'answer', status: 503, headers: { 'retry-after': '1' } },
    { kind: 'answer', status: 429, headers: { 'retry-after': '1' } },
    { kind: 'drop' },
    { kind: 'dropAnswer' },
  ]);
}

/** As GitHub and Slack ask for patience: docs.github.com, "Rate limits for the REST API"; docs.slack.dev, "Rate limits". */
function limited(place: string, ms: number): Fault {
  const seconds = Math.max(1, Math.round(ms / 4000));
  if (place !== 'forge') return { kind: 'answer', status: 429, headers: { 'retry-after': `${seconds}` } };
  const headers = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': `${Math.ceil(Date.now() / 1000) + seconds}` };
  return { kind: 'answer', status: 403, headers, body: '{"message":"API rate limit exceeded"}' };
}

async function wait(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}
