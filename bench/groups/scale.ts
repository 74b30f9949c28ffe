// `npm run bench -- scale`: what GitHooks and finished runs that are only stored cost. Run by bench/main.ts. Each number of GitHooks
// is measured with processes that were just started, so that none has the memory of what went before.
import { type Figure, type Sample, sampleOf } from '../figure.ts';
import type { Bench, Group } from '../group.ts';
import { createFinishedRuns, finishRun } from '../load/finished-runs.ts';
import { remove } from '../load/place.ts';
import {
  grow,
  makeWorld,
  pushTold,
  receivedIdle,
  start,
  timePushes,
  untilWritten,
  type World,
} from '../load/scale-world.ts';
import { settled } from '../process-memory.ts';

/** GitHooks, and runs, at full size. */
const most = 10_000;
const steps = [10, 100, 1_000];
/** Pushes take a tenth of a second, so that there may be more than of other figures. */
const leastPushes = 20;
const starts = 3;
const idleMs = 60_000;
const startGoal = { atMost: 10_000 };
/** By how much a push may take longer among the most GitHooks than among the fewest. */
const pushGoal = { atMost: 1.2 };

export const scale: Group = {
  name: 'scale',
  title: `What stored GitHooks and runs cost, up to ${most.toLocaleString('en')} of each`,
  measure,
};

interface Starts {
  /** In ms. */
  readonly ready: Sample;
  /** In MiB. */
  readonly memory: Sample;
}

interface Level extends Starts {
  readonly count: number;
  readonly isLast: boolean;
  /** In ms. */
  readonly push: Sample;
  /** In KiB; of the first and the last. */
  readonly idle: Sample | undefined;
}

async function measure(given: Bench): Promise<readonly Figure[]> {
  const bench = { ...given, repeats: Math.max(given.repeats, leastPushes) };
  const last = Math.max(Math.round(most * bench.size), 1);
  const counts = [...steps.filter((count) => count < last), last];
  const world = await makeWorld(bench, counts.length, bench.repeats);
  const levels: Level[] = [];
  for (const [index, count] of counts.entries()) {
    bench.tell(`${count} GitHooks`);
    await grow(world, { from: counts[index - 1] ?? 1, to: count });
    levels.push(await measureLevel(world, { count, isLast: count === last, withIdle: index === 0 || count === last }));
  }
  bench.tell(`${last} finished runs`);
  const finished = await measureFinished(world, last);
  const idleSeconds = idleMsOf(bench) / 1000;
  const and = `${last.toLocaleString('en')} GitHooks and as many finished runs`;
  return [...levels.flatMap((level) => figuresOf(level, levels[0], idleSeconds)), ...startFigures(finished, and, true)];
}

async function measureLevel(
  world: World,
  { count, isLast, withIdle }: { readonly count: number; readonly isLast: boolean; readonly withIdle: boolean },
): Promise<Level> {
  const { ready, memory } = await measureStarts(world);
  const { kubeGit } = await start(world);
  const push = sampleOf(await timePushes(world, kubeGit));
  await kubeGit.stop();
  // Runs that go on are looked after: nothing is to happen while kube-git is idle.
  await remove(world.bench, world.place, [world.place.jobs, world.place.runs]);
  const idle = withIdle ? sampleOf([await receivedIdle(world, idleMsOf(world.bench))]) : undefined;
  return { count, isLast, ready, memory, push, idle };
}

async function measureStarts(world: World): Promise<Starts> {
  const all: { readonly ms: number; readonly mib: number }[] = [];
  for (let repeat = 0; repeat < starts; repeat++) {
    const { kubeGit, ms } = await start(world);
    const { resident } = await settled(kubeGit.pid);
    all.push({ ms, mib: resident / 1024 ** 2 });
    await kubeGit.stop();
  }
  return { ready: sampleOf(all.map(({ ms }) => ms)), memory: sampleOf(all.map(({ mib }) => mib)) };
}

/** A run of a further GitHook, as the program leaves it, is copied; then each GitHook's status has to speak of its own. */
async function measureFinished(world: World, count: number): Promise<Starts> {
  const run = await pushTold(world, (commit) => finishRun(world.bench, world.place, commit));
  await createFinishedRuns(world.place, run, count);
  await untilWritten(world, count + 1, ({ status }) => (status?.triggerCount ?? 0) > 0);
  return measureStarts(world);
}

/** A shorter look where the benchmark is only tried out. */
function idleMsOf({ size }: Bench): number {
  return Math.max(idleMs * size, 5_000);
}

function figuresOf(level: Level, first: Level | undefined, idleSeconds: number): readonly Figure[] {
  const { count, push, idle } = level;
  const among = `${count.toLocaleString('en')} GitHooks`;
  const few = first === undefined || first === level ? undefined : first;
  const compared = (sample: Sample | undefined): Pick<Figure, 'reference'> =>
    sample === undefined ? {} : { reference: { name: `${few?.count} GitHooks`, sample } };
  return [
    {
      ...{ name: `one push, ${among}`, unit: 'ms', sample: push, ...compared(few?.push) },
      ...(level.isLast && few && { goal: pushGoal }),
    },
    ...startFigures(level, among, level.isLast),
    ...(idle === undefined
      ? []
      : [
          {
            name: `received idle in ${idleSeconds} s, ${among}`,
            unit: 'KiB' as const,
            sample: idle,
            ...compared(few?.idle),
          },
        ]),
  ];
}

function startFigures({ ready, memory }: Starts, among: string, isMost: boolean): readonly Figure[] {
  return [
    { name: `start until ready, ${among}`, unit: 'ms', sample: ready, ...(isMost && { goal: startGoal }) },
    { name: `resident memory, ${among}`, unit: 'MiB', sample: memory },
  ];
}
