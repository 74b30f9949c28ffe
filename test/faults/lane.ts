// What scenarios that run one after another share: a forge with its repository, and a proxy at every door. Several lanes
// work at the same time; each scenario in a lane has a namespace and a kube-git of its own.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, testCluster } from '../env/cluster.ts';
import { type Forge, startForge } from '../env/forge.ts';
import type { Repository } from '../env/git-server.ts';
import { webhookSecret } from '../env/kube-git.ts';
import { freePort } from '../env/ports.ts';
import { type FaultProxy, type Rule, startProxy } from '../env/proxy.ts';
import { forgeToken } from '../env/scenario.ts';
import { type Call, type Door, nameOf } from './points.ts';

/** No words that stand anywhere else, so that a leak can be found. */
export const gitCredentials = { username: 'git-user-of-tests', password: 'git-Password-Of-Tests-0123456789' };

export interface Lane {
  readonly forge: Forge;
  readonly repository: Repository;
  readonly doors: Readonly<Record<Door, FaultProxy>>;
  /** Where each life of kube-git listens: the proxy at the door `webhook` leads there. */
  readonly port: number;
  /** The temporary folder of each life, as a container's /tmp outlives its restarts. */
  readonly temporary: string;
  /** Sets the rule of all doors; the function it returns takes it away. */
  rule(rule: (door: Door) => Rule): () => void;
  /** Every request since then (performance.now), through all doors, in the order they came. */
  callsSince(from: number): readonly Call[];
  /** Forgets them. */
  forgetCalls(): void;
}

export async function startLane(t: TestContext): Promise<Lane> {
  const { server, ca } = testCluster();
  const forge = await startForge({ secret: webhookSecret, token: forgeToken, gitCredentials });
  const port = await freePort();
  const [api, git, github, slack, webhook] = await Promise.all([
    startProxy({ target: new URL(server), ca }),
    startProxy({ target: new URL(forge.url) }),
    startProxy({ target: new URL(forge.url) }),
    startProxy({ target: new URL(forge.url) }),
    startProxy({ target: new URL(`http://127.0.0.1:${port}`) }),
  ]);
  const doors = { api, git, github, slack, webhook };
  const proxies = Object.entries(doors) as [Door, FaultProxy][];
  const temporary = await mkdtemp(join(tmpdir(), 'kube-git-lane-'));
  t.after(async () => {
    await Promise.all(proxies.map(([, proxy]) => proxy.close()));
    await forge.stop();
    // Its git processes may outlive it by a moment.
    await rm(temporary, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  });
  const repository = await forge.createRepository('acme/app');
  // Its ping is answered by nobody yet: no matter.
  await forge.addWebhook(`${webhook.url}/github`);
  return {
    ...{ forge, repository, doors, port, temporary },
    rule: (rule) => {
      const remove = proxies.map(([door, proxy]) => proxy.rule(rule(door)));
      return () => {
        for (const one of remove) one();
      };
    },
    callsSince: (from) =>
      proxies
        .flatMap(([door, { log }]) => log.map((entry) => Object.assign(entry, { door, what: nameOf(door, entry) })))
        .filter(({ at }) => at >= from)
        .sort((a, b) => a.at - b.at),
    forgetCalls: () => {
      for (const [, { log }] of proxies) log.length = 0;
    },
  };
}

/** Lends lanes to scenarios that run at the same time: one each, made when it is first needed. */
export class Lanes {
  readonly #t: TestContext;
  readonly #free: Lane[] = [];

  constructor(t: TestContext) {
    this.#t = t;
  }

  async use<T>(work: (lane: Lane) => Promise<T>): Promise<T> {
    const lane = this.#free.pop() ?? (await startLane(this.#t));
    lane.forgetCalls();
    try {
      return await work(lane);
    } finally {
      this.#free.push(lane);
    }
  }
}
