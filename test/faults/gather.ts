// Gathers the evidence of a scenario: while it goes on what would be gone later, at its end the rest.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { testCluster } from '../env/cluster.ts';
import { webhookSecret } from '../env/kube-git.ts';
import { forgeToken, slackPath } from '../env/scenario.ts';
import type { Evidence } from './evidence.ts';
import { gitCredentials, type Lane } from './lane.ts';
import { argumentsOf, descriptorsOf, processesUnder } from './processes-under.ts';
import type { Scene, Stage } from './scenario.ts';
import { account, eventsIn, gitHooksIn, runsIn } from './site.ts';

export interface Gathering {
  /** When the push began (performance.now). */
  readonly from: number;
  readonly messagesBefore: number;
  readonly descriptorsBefore: number;
  readonly arguments: Set<string>;
  readonly environments: Set<string>;
  readonly inVain: string[];
  minutes: number;
  quietFrom: number;
  neighbourMs: number;
}

/** What git is given on purpose, in its environment only. */
const gitLogin = Buffer.from(`${gitCredentials.username}:${gitCredentials.password}`).toString('base64');

export function startGathering({ lane, pid }: Scene): Gathering {
  return {
    from: performance.now(),
    messagesBefore: lane.forge.messages.length,
    descriptorsBefore: descriptorsOf(pid()),
    arguments: new Set(),
    environments: new Set(),
    inVain: [],
    minutes: 0,
    quietFrom: Number.POSITIVE_INFINITY,
    neighbourMs: 0,
  };
}

/** To be called while git is at work. */
export function lookAtProcesses({ pid }: Scene, gathering: Gathering): void {
  const own = argumentsOf(pid());
  gathering.arguments.add(own);
  for (const child of processesUnder(pid())) {
    // Between fork and exec a process is still kube-git, environment and all.
    if (child.arguments === own) continue;
    gathering.arguments.add(child.arguments);
    gathering.environments.add(child.environment.replaceAll(gitLogin, ''));
  }
}

/** At the end, while kube-git still runs. */
export async function gather(stage: Stage, expected: string): Promise<Evidence> {
  const { scene, keeper, gathering } = stage;
  const { lane, namespace, observer, pid } = scene;
  const calls = lane.callsSince(gathering.from);
  const [runs, gitHooks, events] = await Promise.all([runsIn(namespace), gitHooksIn(namespace), eventsIn(namespace)]);
  const metrics = await (await fetch(`${keeper.current().privateUrl}/metrics`)).text();
  const commits = new Set(runs.map(({ spec }) => spec.commit));
  const texts = {
    'the log': keeper.output(),
    'the arguments of a process': [...gathering.arguments].join('\n'),
    'the environment of git': [...gathering.environments].join('\n'),
    'an answer to a delivery': calls.map(({ door, answer }) => (door === 'webhook' ? answer : '')).join('\n'),
    'a run': JSON.stringify(runs),
    'a GitHook': JSON.stringify(gitHooks),
    'an Event': JSON.stringify(events),
    'the metrics': metrics,
  };
  return {
    ...{ namespace, account, calls, runs, gitHooks, expected },
    ...{ runVersions: observer.runs, jobVersions: observer.jobs },
    statuses: lane.forge.statuses.filter(({ sha }) => commits.has(sha)),
    messages: lane.forge.messages.slice(gathering.messagesBefore),
    texts: new Map(Object.entries(texts)),
    secrets: secrets(),
    lives: keeper.starts(),
    inVain: gathering.inVain,
    minutes: gathering.minutes,
    quietFrom: gathering.quietFrom,
    children: processesUnder(pid()).map((child) => child.arguments),
    folders: await leftovers(lane, pid()),
    descriptors: { before: gathering.descriptorsBefore, after: descriptorsOf(pid()) },
    neighbourMs: gathering.neighbourMs,
  };
}

function secrets(): ReadonlyMap<string, string> {
  const words = {
    'the webhook secret': webhookSecret,
    'the token of the forge': forgeToken,
    'the path of Slack': slackPath,
    'the password of git': gitCredentials.password,
    'the login of git': gitLogin,
    'the token of the API server': testCluster().token,
  };
  return new Map(Object.entries(words));
}

/** Folders of lives that are over, and of fetches that are. */
async function leftovers({ temporary }: Lane, pid: number): Promise<readonly string[]> {
  const lives = (await readdir(temporary)).filter((name) => name.startsWith('kube-git-'));
  const [own = ''] = lives.filter((name) => name.startsWith(`kube-git-${pid}-`));
  const fetches = (await readdir(join(temporary, own))).filter((name) => name.startsWith('kube-git-read-'));
  return [...lives.filter((name) => name !== own), ...fetches];
}
