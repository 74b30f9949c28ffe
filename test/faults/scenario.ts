// One push from its delivery to the last word, with a nemesis at every door; then the neighbour's push, rest, and judgement.
// kube-git is started again whenever it is killed, and the forge's user presses "Redeliver" until the answer is 2xx.
import { messageOf } from '../../src/errors.ts';
import { type TestContext, testNamespace } from '../env/cluster.ts';
import type { Evidence } from './evidence.ts';
import { type Gathering, gather, lookAtProcesses, startGathering } from './gather.ts';
import { type Keeper, keep } from './keeper.ts';
import type { Lane } from './lane.ts';
import { type Observer, observe } from './observer.ts';
import { judge } from './oracles.ts';
import { isWork, type Nemesis, nameOf } from './points.ts';
import { pushToNeighbour, pushToNeighbourAtLast, pushUntilTaken, untilAtRest, untilEnd } from './push.ts';
import { createGitHooks, prepareNamespace } from './site.ts';
import { WatchBreaker, type WatchFault } from './watch-breaker.ts';

export interface Story {
  /** The program; see program.ts. */
  readonly program: string;
  readonly nemesis?: Nemesis;
  /** How the push comes. Default: by a webhook, pressed again until it is taken. */
  readonly arrive?: (scene: Scene, manifest: string) => Promise<void>;
  /** Whether the GitHooks are looked at for pushes that nobody told of. */
  readonly polled?: boolean;
  /** What happens while kube-git is dead. */
  readonly downtime?: (scene: Scene) => Promise<void>;
  /** What happens after the push was taken. */
  readonly afterwards?: (scene: Scene) => Promise<void>;
  /** What happens when the run has ended. */
  readonly atLast?: (scene: Scene) => Promise<void>;
  /** Called again and again while the end is waited for. */
  readonly meanwhile?: (scene: Scene) => Promise<void>;
  /** What becomes of each event of a watch, bookmarks too: the lines to pass on. */
  readonly watch?: WatchFault;
  readonly manifest?: string;
  readonly args?: readonly string[];
  /** How the run has to end. Default: Succeeded. */
  readonly expected?: string;
  /** How long the end is waited for. */
  readonly patienceMs?: number;
}

/** What the parts of a story act on. */
export interface Scene {
  readonly lane: Lane;
  readonly namespace: string;
  /** What was seen past kube-git so far. */
  readonly observer: Observer;
  /** The process id of kube-git. */
  pid(): number;
  /** Lets a minute pass for a program with a jumping clock. */
  passMinute(): void;
  /** SIGKILL; resolves when it has been started again. */
  killAndRestart(): Promise<void>;
  resume(): void;
  startAnother(): Promise<void>;
  pushToNeighbour(): Promise<void>;
  /** The forge's id of the delivery, once it was tried. */
  delivery(): string | undefined;
}

/** A scene with all who are on it. */
export interface Stage {
  readonly scene: Scene;
  readonly keeper: Keeper;
  readonly gathering: Gathering;
}

export interface Outcome {
  /** What is wrong; nothing when all is well. */
  readonly violations: readonly string[];
  readonly crashes: number;
  /** Points that were met since the push, in their order. */
  readonly points: readonly string[];
  readonly evidence: Evidence;
}

/** Ample on a machine with much else to do: the slowest back-off on the way is some seconds. */
const defaultPatienceMs = 60_000;
export const manifest = `apiVersion: batch/v1
kind: Job
metadata:
  name: build
  labels:
    kubegit.appspero.com/run: spoofed
  annotations:
    kubegit.appspero.com/commit: spoofed
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: build
          image: busybox
`;

/** Plays the story in this lane and judges what came of it. */
export async function play(lane: Lane, story: Story): Promise<Outcome> {
  const undo: (() => unknown)[] = [];
  const t: TestContext = { after: (fn) => void undo.unshift(fn) };
  try {
    return await playIn(t, lane, story);
  } finally {
    for (const fn of undo) await fn();
  }
}

async function playIn(t: TestContext, lane: Lane, story: Story): Promise<Outcome> {
  const breaker = new WatchBreaker(story.watch ?? (({ line }) => [line]));
  if (story.watch) t.after(lane.doors.api.rule(breaker.rule));
  const stage = await begin(t, lane, story);
  const { keeper, scene, gathering } = stage;
  const points: string[] = [];
  const remove = strike(story, stage, points);
  const patienceMs = story.patienceMs ?? defaultPatienceMs;
  breaker.begin();
  try {
    await attempt(stage, async () => {
      const arrive = story.arrive ?? ((to, what) => pushUntilTaken(to, what, patienceMs));
      await arrive(scene, story.manifest ?? manifest);
      await story.afterwards?.(scene);
      await untilEnd(scene, patienceMs, async () => story.meanwhile?.(scene));
      await story.atLast?.(scene);
    });
    await keeper.settled();
  } finally {
    remove();
    breaker.end();
  }
  await attempt(stage, async () => {
    const neighbourMs = await pushToNeighbourAtLast(lane, scene.namespace);
    gathering.neighbourMs = Math.max(gathering.neighbourMs, neighbourMs);
  });
  gathering.quietFrom = await untilAtRest(lane);
  const evidence = await gather(stage, story.expected ?? 'Succeeded');
  const violations = [...judge(evidence), ...keeper.misdeeds().map((what) => `S8: ${what}`)];
  return { violations, crashes: keeper.crashes(), points, evidence };
}

async function begin(t: TestContext, lane: Lane, story: Story): Promise<Stage> {
  // It goes with the control plane: to delete hundreds would take as long as all the rest.
  const namespace = await testNamespace({ after: () => undefined });
  await prepareNamespace(namespace);
  const observer = await observe(t, namespace);
  const deliveries = lane.forge.deliveries.length;
  const scene: Scene = {
    ...{ lane, namespace, observer },
    pid: () => keeper.current().pid,
    passMinute: () => {
      gathering.minutes++;
      process.kill(keeper.current().pid, 'SIGUSR2');
    },
    killAndRestart: async () => {
      keeper.kill();
      await keeper.settled();
    },
    resume: () => keeper.resume(),
    startAnother: () => keeper.startAnother(),
    pushToNeighbour: async () => {
      gathering.neighbourMs = Math.max(gathering.neighbourMs, await pushToNeighbour(lane, namespace));
    },
    delivery: () => lane.forge.deliveries.slice(deliveries).find(({ event }) => event === 'push')?.id,
  };
  const downtime = story.downtime && (() => story.downtime?.(scene) ?? Promise.resolve());
  const keeper = await keep(t, { lane, namespace, program: story.program, args: story.args, downtime });
  t.after(() => keeper.stop());
  await createGitHooks(namespace, lane, story.polled);
  const gathering = startGathering(scene);
  return { scene, keeper, gathering };
}

/** Asks the nemesis at every door from now on. */
function strike({ nemesis }: Story, { scene, keeper, gathering }: Stage, points: string[]): () => void {
  const counts = new Map<string, number>();
  return scene.lane.rule((door) => (request) => {
    if (door === 'git') lookAtProcesses(scene, gathering);
    const what = nameOf(door, request);
    const count = (counts.get(what) ?? 0) + 1;
    counts.set(what, count);
    const name = `${what} #${count}`;
    if (isWork(what)) points.push(name);
    return nemesis?.({ door, name, request }, keeper);
  });
}

/** What is waited for in vain is for the oracles to say, with everything else that they find. */
async function attempt({ gathering }: Stage, work: () => Promise<void>): Promise<void> {
  await work().catch((error: unknown) => void gathering.inVain.push(messageOf(error)));
}
