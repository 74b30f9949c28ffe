// One push from delivery to the last word, with kube-git killed on the way and started again, as Kubernetes would.
// Proxies stand before the API server and the forge: they count the outside calls and are what the oracles read.
import assert from 'node:assert/strict';
import type { GitHookRun } from '../../src/api/githookrun.ts';
import type { KubeObject } from '../../src/api/object.ts';
import { api, testCluster, testNamespace } from '../env/cluster.ts';
import { type Forge, startForge } from '../env/forge.ts';
import type { Repository } from '../env/git-server.ts';
import { type KubeGit, startKubeGit, webhookSecret } from '../env/kube-git.ts';
import { type Fault, type FaultProxy, type ProxiedRequest, startProxy } from '../env/proxy.ts';
import { endJob, jobManifest } from '../env/scenario.ts';
import { waitFor } from '../env/wait.ts';

type Context = { after(fn: () => unknown): void };

/** What the crashes of one test share: everything but the namespace and kube-git itself. */
export interface Ground {
  readonly forge: Forge;
  readonly repository: Repository;
  readonly apiProxy: FaultProxy;
  readonly forgeProxy: FaultProxy;
  /** kube-git's port, the same for each of its lives, because the forge knows it. */
  port: number;
}

export async function startGround(t: Context): Promise<Ground> {
  const { server, ca } = testCluster();
  const forge = await startForge({ secret: webhookSecret });
  const apiProxy = await startProxy({ target: new URL(server), ca });
  const forgeProxy = await startProxy({ target: new URL(forge.url) });
  t.after(() => Promise.all([forge.stop(), apiProxy.close(), forgeProxy.close()]));
  return { forge, repository: await forge.createRepository('acme/app'), apiProxy, forgeProxy, port: 0 };
}

/** Decides at each outside call, counted from 1 when the push begins, whether to kill, and what becomes of the call. */
export type Nemesis = (call: number, kill: () => void) => Fault | undefined;

export interface Outcome {
  /** Outside calls that were made, by kube-git before and after the crash. */
  readonly calls: readonly string[];
  readonly crashes: number;
}

/** Runs one push with this nemesis and checks everything that must hold whatever happens. */
export async function survive(
  t: Context,
  ground: Ground,
  nemesis: Nemesis,
  onPush?: (kill: () => void) => void,
): Promise<Outcome> {
  const namespace = await testNamespace(t);
  const keeper = await keep(t, ground, namespace);
  await createGitHook(ground, namespace);
  const calls: string[] = [];
  const rule = (request: ProxiedRequest): Fault | undefined => {
    if (request.query.get('watch') !== null || request.path.includes('/leases')) return undefined;
    calls.push(`${request.method} ${request.path}`.replaceAll(namespace, 'NAMESPACE'));
    return nemesis(calls.length, keeper.kill);
  };
  const rules = [ground.apiProxy.rule(rule), ground.forgeProxy.rule(rule)];
  const from = {
    statuses: ground.forge.statuses.length,
    messages: ground.forge.messages.length,
    api: ground.apiProxy.log.length,
  };
  try {
    await pushUntilTaken(ground, () => onPush?.(keeper.kill));
    const job = await waitFor(async () => (await jobsIn(namespace))[0], { what: 'the Job', deadlineMs: 30_000 });
    await endJob(namespace, job.metadata.name ?? '', 'Succeeded');
    await waitFor(() => isOver(ground, namespace, from), {
      what: `the last word; calls: ${calls.join('\n')}`,
      deadlineMs: 60_000,
    });
  } finally {
    for (const remove of rules) remove();
    await keeper.stop();
  }
  await check(ground, namespace, from);
  return { calls, crashes: keeper.crashes() };
}

interface Marks {
  readonly statuses: number;
  readonly messages: number;
  readonly api: number;
}

interface Keeper {
  readonly kill: () => void;
  readonly crashes: () => number;
  stop(): Promise<void>;
}

/** Starts kube-git and starts it again whenever it is killed. */
async function keep(t: Context, ground: Ground, namespace: string): Promise<Keeper> {
  const url = (path: string): string => `${ground.forgeProxy.url}${path}`;
  const notifications = JSON.stringify({
    github: { forge: { url: 'https://example.test/x', token: 'forge-token', api: url('/api/v3') } },
    slack: { team: { webhookURL: url('/slack/T1/B1/x') } },
  });
  const options = {
    kubeconfig: testCluster().kubeconfig,
    master: ground.apiProxy.url,
    notifications,
    // Looks for lost pushes would come between the calls that are counted; they have crashes of their own.
    args: ['-namespace', namespace, '-poll-interval=0s', '-delivery-log=false'],
  };
  const start = (): Promise<KubeGit> => startKubeGit(t, { ...options, port: ground.port });
  let current = await start();
  if (ground.port === 0) await ground.forge.addWebhook(`${current.url}/github`);
  ground.port = current.port;
  let crashes = 0;
  let stopped = false;
  let restarting: Promise<void> = Promise.resolve();
  const restart = async (): Promise<void> => {
    await current.kill();
    current = await start();
  };
  return {
    kill: () => {
      if (stopped) return;
      crashes++;
      restarting = restarting.then(restart);
      process.kill(current.pid, 'SIGKILL');
    },
    crashes: () => crashes,
    stop: async () => {
      stopped = true;
      await restarting;
      await current.kill();
    },
  };
}

async function createGitHook(ground: Ground, namespace: string): Promise<void> {
  const path = `/apis/kubegit.appspero.com/v1alpha1/namespaces/${namespace}/githooks`;
  await api('POST', path, {
    ...{ apiVersion: 'kubegit.appspero.com/v1alpha1', kind: 'GitHook', metadata: { name: 'app' } },
    spec: {
      ...{ repository: `${ground.forgeProxy.url}/acme/app.git`, branches: ['*'], manifest: 'job.yaml' },
      notification: { github: 'forge', slack: 'team' },
    },
  });
  const seen = async (): Promise<boolean> =>
    (await api<{ status?: unknown }>('GET', `${path}/app`)).status !== undefined;
  await waitFor(seen, { what: 'kube-git to see the GitHook' });
}

/** Pushes as a forge does, and presses "Redeliver" for as long as the answer is not 2xx, as recovery does. */
async function pushUntilTaken(ground: Ground, onPush: () => void): Promise<void> {
  const { forge, repository } = ground;
  const ref = 'refs/heads/main';
  const before = (await repository.ref(ref)) ?? '0'.repeat(40);
  const after = await repository.commit({ 'job.yaml': jobManifest, README: `${Math.random()}` });
  onPush();
  await forge.announce({ repository: repository.name, ref, before, after });
  const id = forge.deliveries.at(-1)?.id ?? '';
  const taken = (): boolean =>
    (forge.deliveries.findLast((one) => one.id === id)?.answer?.status ?? 0) < 300 &&
    forge.deliveries.findLast((one) => one.id === id)?.answer !== undefined;
  await waitFor(async () => taken() || void (await forge.redeliver(id)), {
    what: 'the delivery to be taken',
    deadlineMs: 30_000,
    everyMs: 100,
  });
}

async function jobsIn(namespace: string): Promise<readonly KubeObject[]> {
  return (await api<{ items: KubeObject[] }>('GET', `/apis/batch/v1/namespaces/${namespace}/jobs`)).items;
}

async function runsIn(namespace: string): Promise<readonly GitHookRun[]> {
  const path = `/apis/kubegit.appspero.com/v1alpha1/namespaces/${namespace}/githookruns`;
  return (await api<{ items: GitHookRun[] }>('GET', path)).items;
}

/** Everything is done and written down: the run ended, both sinks told of the end, the clean-up time handed back. */
async function isOver(ground: Ground, namespace: string, from: Marks): Promise<boolean> {
  const [run] = await runsIn(namespace);
  const told = run?.status?.sinks?.every((sink) => sink.told === 'Succeeded') ?? false;
  return told && run?.status?.handedBack === true && ground.forge.statuses.length > from.statuses;
}

/** One run, one Job ever, the end told last and nothing after it. */
async function check(ground: Ground, namespace: string, from: Marks): Promise<void> {
  const runs = await runsIn(namespace);
  assert.equal(runs.length, 1);
  assert.equal(runs[0]?.status?.phase, 'Succeeded');
  assert.equal((await jobsIn(namespace)).length, 1);
  const created = ground.apiProxy.log
    .slice(from.api)
    .filter(({ method, path, status }) => method === 'POST' && path.endsWith('/jobs') && status === 201);
  assert.equal(created.length, 1, 'Jobs that were ever created');
  const states = ground.forge.statuses.slice(from.statuses).map(({ state }) => state);
  assert.equal(states.at(-1), 'success');
  assert.ok(
    !states.slice(states.indexOf('success')).includes('pending'),
    `pending after success: ${states.join(', ')}`,
  );
  const titles = ground.forge.messages
    .slice(from.messages)
    .map(({ body }) => (body as { attachments: { title: string }[] }).attachments[0]?.title ?? '');
  assert.match(titles.at(-1) ?? '', /Succeeded/);
}
