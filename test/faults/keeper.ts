// Keeps kube-git running as the kubelet does: when it is killed it is started again, in the same pod, with the same /tmp.
import { type TestContext, testCluster } from '../env/cluster.ts';
import { type KubeGit, startKubeGit } from '../env/kube-git.ts';
import { freePort } from '../env/ports.ts';
import { forgeToken, slackPath } from '../env/scenario.ts';
import type { Lane } from './lane.ts';
import type { Hand } from './points.ts';

export interface KeeperOptions {
  readonly lane: Lane;
  readonly namespace: string;
  /** The program to run. */
  readonly program: string;
  readonly args?: readonly string[] | undefined;
  /** What happens between a death and the next start. */
  readonly downtime?: (() => Promise<void>) | undefined;
}

export interface Keeper extends Hand {
  /** The life that goes on now. */
  current(): KubeGit;
  /** What all lives have written. */
  output(): string;
  /** How often it was ended, by SIGKILL or SIGTERM. */
  crashes(): number;
  /** Lives that did not end as they must after SIGTERM, in words. */
  misdeeds(): readonly string[];
  /** How many processes there have been. */
  starts(): number;
  /** SIGCONT. */
  resume(): void;
  /** Starts another replica beside it, which is ended with the test. */
  startAnother(): Promise<void>;
  /** Resolves when nothing is being started. Throws what went wrong with starting. */
  settled(): Promise<void>;
  /** Ends the current life for good. */
  stop(): Promise<void>;
}

/** docs/reliability.md promises it. */
const endsWithinSeconds = 15;

export async function keep(t: TestContext, options: KeeperOptions): Promise<Keeper> {
  const lives: KubeGit[] = [];
  const others: KubeGit[] = [];
  const lastWords: string[] = [];
  const misdeeds: string[] = [];
  let pid = 0;
  let crashes = 0;
  let struck: NodeJS.Signals | undefined;
  let stopped = false;
  let cycle: Promise<void> | undefined;
  const live = async (): Promise<void> => {
    const onSpawn = (spawned: number): void => {
      pid = spawned;
    };
    try {
      lives.push(await startKubeGit(t, { ...flags(options), onSpawn }));
    } catch (error) {
      if (!struck) throw error;
      lastWords.push(String(error));
    }
  };
  const restart = async (): Promise<void> => {
    while (struck) {
      await (struck === 'SIGTERM' ? terminated() : lives.at(-1)?.kill());
      await options.downtime?.();
      struck = undefined;
      await live();
    }
    cycle = undefined;
  };
  const terminated = async (): Promise<void> => {
    const from = performance.now();
    const code = await lives.at(-1)?.stop('SIGTERM');
    const seconds = (performance.now() - from) / 1000;
    if (code !== 0 || seconds > endsWithinSeconds)
      misdeeds.push(`ended with ${code} ${seconds.toFixed(1)} s after SIGTERM`);
  };
  const strike = (signal: 'SIGKILL' | 'SIGTERM'): void => {
    if (stopped) return;
    crashes++;
    struck = signal;
    if (signal === 'SIGKILL') process.kill(pid, 'SIGKILL');
    cycle ??= restart();
    cycle.catch(() => undefined);
  };
  await live();
  const settled = async (): Promise<void> => {
    while (cycle !== undefined) await cycle;
  };
  return {
    current: () => lives.at(-1) as KubeGit,
    output: () => [...[...lives, ...others].map((life) => life.output()), ...lastWords].join('\n'),
    crashes: () => crashes,
    starts: () => crashes + 1 + others.length,
    suspend: () => void process.kill(pid, 'SIGSTOP'),
    resume: () => void process.kill(pid, 'SIGCONT'),
    startAnother: async () => {
      others.push(
        await startKubeGit(t, {
          ...flags(options),
          ...{ env: { POD_NAME: 'another-kube-git' }, port: await freePort() },
        }),
      );
    },
    kill: () => strike('SIGKILL'),
    terminate: () => strike('SIGTERM'),
    misdeeds: () => misdeeds,
    settled,
    stop: async () => {
      stopped = true;
      for (const other of others) await other.kill();
      await settled();
      await lives.at(-1)?.kill();
    },
  };
}

function flags({ lane, namespace, program, args = [] }: KeeperOptions) {
  const { github, slack, api } = lane.doors;
  const url = 'https://example.test/${NAMESPACE}/${NAME}';
  const notifications = JSON.stringify({
    github: { forge: { url, token: forgeToken, api: `${github.url}/api/v3` } },
    slack: { team: { url, webhookURL: `${slack.url}/slack/${slackPath}`, channel: '#ci' } },
  });
  return {
    ...{ kubeconfig: testCluster().kubeconfig, master: api.url, notifications, program, port: lane.port },
    // The forge of the tests speaks plain http, on loopback.
    // Looks for lost pushes would come between the calls that are counted; they have crashes of their own.
    args: ['-namespace', namespace, '-allow-insecure-credentials', '-poll-interval=0s', '-delivery-log=false', ...args],
    env: { TMPDIR: lane.temporary },
  };
}
