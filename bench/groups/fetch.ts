// The group `fetch` of `npm run bench`: kube-git reads one file at one commit, beside clones of the same repository, over real
// git and http on loopback. A row of bench/main.ts.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type GitServer, startGitServer } from '../../test/env/git-server.ts';
import { cloneWays, cloning } from '../fetch/cloning.ts';
import { figuresOf } from '../fetch/figures.ts';
import { type Costs, measure, type Subject, type Way } from '../fetch/measuring.ts';
import { commitsNeeded, startReading } from '../fetch/reading.ts';
import { type Filled, fillRepositories } from '../fetch/repositories.ts';
import { startSlowProxy } from '../fetch/slow-proxy.ts';
import type { Bench, Group } from '../group.ts';

const roundTripsMs = [0, 20, 80];
const depths = ['depth 1', 'depth 6'] as const;
/** Of a large repository, beside what a goal is about; and of any, while its memory and disk are watched, which hardly differ. */
const fewClones = 3;

export const fetch: Group = {
  name: 'fetch',
  title:
    'One file at one commit, over a new connection, beside clones of the repository; by size, depth and round-trip time',
  measure: async (bench) => {
    const server = await startServer(bench);
    const repositories = await fillRepositories(bench, server, commitsNeeded(bench.repeats));
    const costs: Costs[] = [];
    for (const roundTripMs of roundTripsMs) {
      costs.push(...(await measureAt(roundTripMs, { bench, server, repositories })));
    }
    return figuresOf(costs);
  },
};

interface Setting {
  readonly bench: Bench;
  readonly server: GitServer;
  readonly repositories: readonly Filled[];
}

async function startServer(bench: Bench): Promise<GitServer> {
  const root = join(bench.folder, 'server');
  bench.after(() => rm(root, { recursive: true, force: true }));
  const server = await startGitServer({ root });
  bench.after(() => server.stop());
  return server;
}

/** Everything goes through a proxy, also where it adds no time: it counts. */
async function measureAt(roundTripMs: number, setting: Setting): Promise<readonly Costs[]> {
  const { bench, server } = setting;
  const start = performance.now();
  const proxy = await startSlowProxy(Number(new URL(server.url).port), roundTripMs);
  bench.after(() => proxy.close());
  const subjects = await subjectsOf(setting, { roundTripMs, base: `http://127.0.0.1:${proxy.port}` });
  const costs = await measure({ bench, proxy, roundTripMs }, subjects);
  for (const subject of subjects) await subject.end();
  bench.tell(`round trips of ${roundTripMs} ms: done in ${((performance.now() - start) / 1000).toFixed(0)} s`);
  return costs;
}

/** Reads of all repositories, and clones of those that do not take too long. */
async function subjectsOf(
  { bench, repositories }: Setting,
  { roundTripMs, base }: { readonly roundTripMs: number; readonly base: string },
): Promise<readonly Subject[]> {
  const common = (repository: Filled, way: string) => {
    const folder = join(bench.folder, `${repository.size} ${way} ${roundTripMs}`.replaceAll(/\W+/g, '-'));
    bench.after(() => rm(folder, { recursive: true, force: true }));
    return { repository, url: `${base}/${repository.name}.git`, folder, bench };
  };
  const readings = repositories.flatMap((repository) =>
    depths.map((way) => startReading({ ...common(repository, way), way })),
  );
  const clones = repositories
    .filter(({ size }) => roundTripMs === 0 || size === '10 MB')
    .flatMap((repository) =>
      cloneWays.map((way) => cloning({ ...common(repository, way), way, ...timesOf(repository, way, bench) })),
    );
  return [...(await Promise.all(readings)), ...clones];
}

/** All this is to take some minutes: a clone of 1 GB takes a quarter of one. */
function timesOf({ size }: Filled, way: Way, { repeats }: Bench) {
  const few = Math.min(repeats, fewClones);
  if (size === '1 GB') return { repeats: few, watched: 1 };
  return { repeats: size === '150 MB' && way === 'git clone --depth=1' ? few : repeats, watched: few };
}
