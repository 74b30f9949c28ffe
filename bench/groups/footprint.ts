// `npm run bench -- footprint`: what kube-git takes: memory, the program's size, packages, and the API calls and bytes of one run.
// Run by bench/main.ts.
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { buildImage } from '../../hack/image/build.ts';
import { startForge } from '../../test/env/forge.ts';
import { startKubeGit, webhookSecret } from '../../test/env/kube-git.ts';
import { type FaultProxy, type LogEntry, startProxy } from '../../test/env/proxy.ts';
import { makePushes } from '../../test/faults/long/pushes.ts';
import { type Figure, sampleOf } from '../figure.ts';
import type { Bench, Group } from '../group.ts';
import { startDeliveries } from '../load/deliveries.ts';
import { finishRun, notificationsFor, toldTo } from '../load/finished-runs.ts';
import { asDeployed } from '../load/kube-git-options.ts';
import { createGitHook, makePlace } from '../load/place.ts';
import { settled } from '../process-memory.ts';

const lock = join(import.meta.dirname, '../../package-lock.json');
const mebibyte = 1024 ** 2;
/** The first run has calls that no later one has: the list of a type, an Event of its own. */
const warmUp = 1;

export const footprint: Group = {
  name: 'footprint',
  title: 'What kube-git takes, and what one run costs the API server',
  measure: async (bench) => [...(await programSize(bench)), ...(await measureRuns(bench))],
};

async function programSize(bench: Bench): Promise<readonly Figure[]> {
  const { size } = await stat(bench.program);
  const { packages } = JSON.parse(await readFile(lock, 'utf8')) as {
    packages: Record<string, { dev?: true; optional?: true }>;
  };
  const shipped = Object.entries(packages).filter(([path, { dev, optional }]) => path && !dev && !optional).length;
  bench.tell('the image');
  const image = await buildImage({ name: 'kube-git', file: join(bench.folder, 'image.tar'), log: () => undefined });
  return [
    { name: 'the program, one file', unit: 'KiB', sample: sampleOf([size / 1024]) },
    { name: 'packages in it', unit: '', sample: sampleOf([shipped]) },
    { name: 'the image, compressed', unit: 'MiB', sample: sampleOf([image.bytes / mebibyte]) },
  ];
}

/** Of runs from push to told, with a commit status and a message to Slack. */
async function measureRuns(bench: Bench): Promise<readonly Figure[]> {
  const place = await makePlace(bench, 'bench-footprint');
  const forge = await startForge({ secret: webhookSecret });
  bench.after(() => forge.stop());
  const hook = { namespace: place.namespace, name: 'hook', repository: 'acme/app', branch: 'main' };
  const pushes = await makePushes(forge, [hook], bench.repeats + warmUp);
  const { server, ca, kubeconfig } = await bench.cluster();
  const api = await startProxy({ target: new URL(server), ca });
  bench.after(() => api.close());
  const options = { kubeconfig, master: api.url, program: bench.program, env: asDeployed };
  const args = ['-namespace', place.namespace, '-poll-interval=0s'];
  const { url, pid } = await startKubeGit(bench, { ...options, args, notifications: notificationsFor(forge) });
  const idle = await settled(pid);
  await createGitHook(place, hook.name, { repository: `${forge.url}/${hook.repository}.git`, notification: toldTo });
  const deliveries = startDeliveries({ url, gitUrl: forge.url, connections: 1, signal: bench.signal });
  const costs: Cost[] = [];
  bench.tell('runs, from push to told');
  for (const push of pushes) {
    costs.push(
      await costOf(api, async () => {
        await deliveries.send(push);
        await finishRun(bench, place, push.commit);
      }),
    );
  }
  deliveries.close();
  const loaded = await settled(pid);
  return [...runFigures(costs.slice(warmUp)), ...memoryFigures(idle.resident, loaded.resident, pushes.length)];
}

interface Cost {
  readonly calls: number;
  readonly bytes: number;
  readonly byStep: ReadonlyMap<string, number>;
}

async function costOf(api: FaultProxy, run: () => Promise<void>): Promise<Cost> {
  const before = api.log.length;
  await run();
  const entries = api.log
    .slice(before)
    .filter(({ query, path }) => query.get('watch') !== 'true' && !/\/leases/.test(path));
  const byStep = new Map<string, number>();
  for (const entry of entries) byStep.set(stepOf(entry), (byStep.get(stepOf(entry)) ?? 0) + 1);
  const bytes = entries.reduce((sum, { body, answer }) => sum + Buffer.byteLength(body) + Buffer.byteLength(answer), 0);
  return { calls: entries.length, bytes, byStep };
}

/** Such as «PUT githookruns/status». */
function stepOf({ method, path }: LogEntry): string {
  const [, collection = '', , subresource] = /\/namespaces\/[^/]+\/([^/]+)(\/[^/]+)?(?:\/([^/]+))?$/.exec(path) ?? [];
  return `${method} ${collection}${subresource ? `/${subresource}` : ''}`;
}

function runFigures(costs: readonly Cost[]): readonly Figure[] {
  const steps = [...new Set(costs.flatMap(({ byStep }) => [...byStep.keys()]))].sort();
  return [
    {
      name: 'calls of the API server a run',
      unit: 'calls',
      sample: sampleOf(costs.map(({ calls }) => calls)),
      goal: { atMost: 20 },
    },
    ...steps.map(
      (step): Figure => ({
        name: `of which ${step}`,
        unit: 'calls',
        sample: sampleOf(costs.map(({ byStep }) => byStep.get(step) ?? 0)),
      }),
    ),
    { name: 'bytes of these calls, both ways', unit: 'KiB', sample: sampleOf(costs.map(({ bytes }) => bytes / 1024)) },
  ];
}

function memoryFigures(idle: number, loaded: number, runs: number): readonly Figure[] {
  return [
    { name: 'memory, no GitHook', unit: 'MiB', sample: sampleOf([idle / mebibyte]) },
    { name: `memory after ${runs} runs`, unit: 'MiB', sample: sampleOf([loaded / mebibyte]) },
  ];
}
