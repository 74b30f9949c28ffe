// The long run: many pushes at full speed while the nemesis strikes, then everything is mended, and every push must have run
// once and been told of. Then the soak: the same for a long time under a light load. Called by main.ts and the short form.
import { setTimeout as delay } from 'node:timers/promises';
import type { Leftovers } from '../../env/leftovers.ts';
import { Chance } from './chance.ts';
import { check } from './checker.ts';
import { Client } from './client.ts';
import { Ender } from './ender.ts';
import { explain } from './explain.ts';
import { type Holding, holdingOf, leftOver } from './hygiene.ts';
import { Ledger } from './ledger.ts';
import { Nemesis } from './nemesis.ts';
import { type LongOptions, soakPerSecond } from './options.ts';
import { makePushes, type Push } from './pushes.ts';
import { countsOf, type LongReport } from './report.ts';
import { growth, slicesOf } from './slices.ts';
import { lookAround, type Sample } from './ticker.ts';
import { makeWorld, startReplicas, type World } from './world.ts';

/** Longer than any wait of kube-git between two attempts, on a busy machine. */
const standstillMs = 6 * 60_000;
const tidyWithinMs = 90_000;
/** How many violations are explained in full. */
const explained = 5;

export interface Way {
  readonly write: (line: string) => void;
  /** Given what was found before the soak, which takes long and may be stopped. */
  readonly onLoad?: (report: LongReport) => Promise<void>;
  readonly signal: AbortSignal;
}

/** What is under way, for whoever shows it. */
export interface State {
  readonly world: World;
  readonly ledger: Ledger;
  readonly nemesis: Nemesis;
  /** The clients so far; the last one is at work. */
  readonly clients: Client[];
  readonly samples: Sample[];
  readonly began: number;
}

/** Runs it all. `t` ends what was started. Rejects when it is stopped. */
export async function longRun(t: Leftovers, options: LongOptions, way: Way): Promise<LongReport> {
  way.write(`seed ${options.seed}; starting the control plane`);
  const world = await makeWorld(t, options, way.signal);
  const soaking = Math.round(options.soakMinutes * 60 * soakPerSecond);
  const pushes = await makePushes(world.git, world.hooks, options.pushes + soaking);
  const ender = new Ender(options.seed);
  const state: State = {
    ...{ world, ledger: new Ledger(), clients: [], samples: [], began: performance.now() },
    nemesis: new Nemesis(world, new Chance(options.seed, 'nemesis'), options.pace),
  };
  const watching = new AbortController();
  const watched = state.ledger.watch(world.plane, ender, watching.signal);
  t.after(async () => {
    watching.abort();
    await watched;
  });
  await startReplicas(world);
  const ended = lookAround(state, way);
  t.after(ended);
  const before = await holdings(world);
  const load = { options, pushes: pushes.slice(0, options.pushes), name: 'load', perSecond: options.perSecond };
  const atFirst = await phase(state, load, way);
  let found: FoundSoFar = { options, before, atFirst, after: await tidy(world, before, way.signal) };
  if (soaking > 0) {
    await way.onLoad?.(await reportOf(state, ender, found, way));
    const soak = { options, pushes: pushes.slice(options.pushes), name: 'soak', perSecond: soakPerSecond };
    const then = await phase(state, soak, way);
    found = { ...found, then, after: await tidy(world, before, way.signal) };
  }
  await ended();
  return reportOf(state, ender, found, way);
}

interface FoundSoFar {
  readonly options: LongOptions;
  readonly before: readonly Holding[];
  readonly after: readonly Holding[];
  readonly atFirst: PhaseTimes;
  /** The soak's. */
  readonly then?: PhaseTimes;
}

/** What came of everything so far. */
async function reportOf(state: State, ender: Ender, found: FoundSoFar, { write }: Way): Promise<LongReport> {
  const { world } = state;
  const { options, before, after, atFirst, then } = found;
  const slices = then === undefined ? [] : slicesOf(state.samples, then.from, then.to);
  const sendings = state.clients.flatMap((client) => client.sendings);
  const violations = check({ world, sendings, ledger: state.ledger, ender });
  for (const violation of violations.slice(0, explained)) write(await explain(violation, sendings, state));
  const names = world.replicas.map(({ name }) => name);
  const holding = names.map((replica, at) => ({ replica, before: before[at]!, after: after[at]! }));
  return {
    ...{ options, date: new Date().toISOString().slice(0, 10), holdings: holding, slices },
    minutes: { pushing: atFirst.pushing, running: atFirst.running, soak: then?.running ?? 0 },
    counts: countsOf(state, sendings, violations),
    mostMemoryMiB: Math.max(...state.samples.map(({ memoryMiB }) => memoryMiB)),
    strikes: Object.fromEntries(state.nemesis.counts),
    violations: [
      ...violations.map(({ oracle, commit, detail }) => `${oracle}: ${commit} ${detail}`),
      ...world.replicas.flatMap(({ misdeeds }) => misdeeds),
      ...holding.flatMap(({ replica, before, after }) => leftOver(replica, before, after)),
      ...growth(slices),
    ],
  };
}

interface Load {
  readonly options: LongOptions;
  readonly pushes: readonly Push[];
  readonly name: string;
  readonly perSecond: number;
}

/** In minutes; and from when to when in seconds since the beginning. */
interface PhaseTimes {
  readonly pushing: number;
  readonly running: number;
  readonly from: number;
  readonly to: number;
}

/** Sends the pushes under fire, mends everything, and waits until all that was ever pushed is over, or nothing moves any more. */
async function phase(
  state: State,
  { options, pushes, name, perSecond }: Load,
  { write, signal }: Way,
): Promise<PhaseTimes> {
  const { world, ledger, nemesis } = state;
  const start = performance.now();
  const minutes = (): number => (performance.now() - start) / 60_000;
  const client = new Client({
    ...{ pushes, targets: world.replicas, gitUrl: world.proxies.git.url, connections: options.connections },
    perSecond,
    chance: new Chance(options.seed, name),
  });
  state.clients.push(client);
  const mend = new AbortController();
  const peace = AbortSignal.any([mend.signal, signal]);
  const giveUp = new AbortController();
  const striking = options.nemesis ? nemesis.run(peace) : Promise.resolve();
  const sending = client.run(AbortSignal.any([giveUp.signal, signal]));
  let pushing = 0;
  const isSent = (): boolean => {
    if (client.taken < pushes.length) return false;
    pushing ||= minutes();
    return true;
  };
  const all = state.clients.reduce((sum, { sendings }) => sum + sendings.length, 0);
  const calmer = all - (1 - options.underFire) * pushes.length;
  const fired = await untilStill(() => isSent() && ledger.over >= calmer, state, signal);
  write(fired ? 'mending everything' : 'nothing moves any more under fire: mending everything');
  mend.abort();
  await striking;
  if (!(await untilStill(() => isSent() && ledger.over >= all, state, signal))) write('nothing moves any more');
  giveUp.abort();
  await sending;
  const from = (start - state.began) / 1000;
  return { pushing, running: minutes(), from, to: from + minutes() * 60 };
}

/** Until the condition holds: true; or nothing has moved for a long time: false. Rejects when stopped. */
async function untilStill(condition: () => boolean, state: State, signal: AbortSignal): Promise<boolean> {
  let last = '';
  let since = performance.now();
  while (!condition()) {
    await delay(250, undefined, { signal });
    const now = `${state.ledger.over} ${state.ledger.ended} ${state.ledger.runs.size} ${state.clients.at(-1)?.taken}`;
    if (now !== last) since = performance.now();
    else if (performance.now() - since > standstillMs) return false;
    last = now;
  }
  return true;
}

async function holdings({ replicas }: World): Promise<readonly Holding[]> {
  return Promise.all(replicas.map(holdingOf));
}

/** What the replicas hold, once nothing is left over, or after a while anyhow. */
async function tidy(world: World, before: readonly Holding[], signal: AbortSignal): Promise<readonly Holding[]> {
  const end = performance.now() + tidyWithinMs;
  for (;;) {
    const now = await holdings(world);
    const left = now.flatMap((holding, at) => leftOver('', before[at] ?? holding, holding));
    if (left.length === 0 || performance.now() > end) return now;
    await delay(1_000, undefined, { signal });
  }
}
