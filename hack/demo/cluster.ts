// The cluster the demo runs on: one of its own, or one the user named. After prepareCluster both look the same.
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { binary, type Program } from '../../test/env/binaries.ts';
import { startClusterWithNode } from '../../test/env/node/cluster-with-node.ts';
import { run } from '../../test/env/node/command.ts';
import { isAlive } from '../../test/env/processes.ts';
import { SetupError } from '../../test/env/setup-error.ts';
import type { Cleanup } from './cleanup.ts';

export interface DemoCluster {
  /** A file with one context. */
  readonly kubeconfig: string;
  readonly namespace: string;
  /** owner/name of the repository in the forge: no GitHook outside of this demo names it. */
  readonly repository: string;
  /** kubectl for this cluster. */
  readonly program: Program;
  /** Runs kubectl to its end; gives its standard output, rejects with its words. */
  kubectl(...args: string[]): Promise<string>;
}

export interface ClusterOptions {
  readonly context: string | undefined;
  /** The demo's own folder. */
  readonly folder: string;
  readonly cleanup: Cleanup;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

const crds = join(import.meta.dirname, '../../install/crds');
const demoPrefix = 'kube-git-demo-';

/** A running cluster with the CRDs and an empty namespace. What it makes is undone by `cleanup`. */
export async function prepareCluster(options: ClusterOptions): Promise<DemoCluster> {
  const { context } = options;
  const cluster = context === undefined ? await startOwnCluster(options) : await useContext(context, options);
  await installCrds(cluster, options);
  await makeNamespace(cluster, options);
  return cluster;
}

async function startOwnCluster({ folder, cleanup, log, signal }: ClusterOptions): Promise<DemoCluster> {
  log('starting one with a node on this machine');
  const { kubeconfig, stop } = await startClusterWithNode({ log, signal });
  cleanup.add('remove the cluster', stop);
  const program = await binary('kubectl');
  return clusterWith({ kubeconfig, program, namespace: 'demo', repository: 'acme/app' }, folder);
}

/** The named context alone, in a kubeconfig of our own: whatever else the user's file holds cannot be touched. */
async function useContext(context: string, { folder }: ClusterOptions): Promise<DemoCluster> {
  const view = ['kubectl', 'config', 'view', '--raw', '--flatten', '--minify', `--context=${context}`];
  const text = await run(view).catch((error: unknown) => {
    if ((error as { code?: unknown }).code === 'ENOENT')
      throw new SetupError('--context needs kubectl on PATH, to read your kubeconfig: install it and start again.');
    throw new SetupError(
      `There is no context ${JSON.stringify(context)} in your kubeconfig: kubectl config get-contexts lists them.`,
      { cause: error },
    );
  });
  const kubeconfig = join(folder, 'kubeconfig');
  await writeFile(kubeconfig, text, { mode: 0o600 });
  const random = randomBytes(4).toString('hex');
  const names = { namespace: `${demoPrefix}${random}`, repository: `acme/app-${random}` };
  const cluster = clusterWith({ kubeconfig, program: { file: 'kubectl', args: [] }, ...names }, folder);
  await requireNobodyElse(cluster, context);
  return cluster;
}

function clusterWith(cluster: Omit<DemoCluster, 'kubectl'>, folder: string): DemoCluster {
  const flags = [`--kubeconfig=${cluster.kubeconfig}`, `--cache-dir=${join(folder, 'kubectl')}`]; // not ~/.kube/cache
  const program = { ...cluster.program, args: [...cluster.program.args, ...flags] };
  return { ...cluster, program, kubectl: (...args) => run([program.file, ...program.args, ...args]) };
}

/** kube-git serves every GitHook of its cluster, so the demo's must not meet those of others. */
async function requireNobodyElse({ kubectl }: DemoCluster, context: string): Promise<void> {
  const found = await kubectl('get', 'githooks', '--all-namespaces', '--output=name', '--ignore-not-found').catch(
    (error: unknown) => {
      if (/the server doesn't have a resource type/.test(String(error))) return '';
      throw new SetupError(`The cluster of context ${JSON.stringify(context)} cannot be used: ${String(error)}`);
    },
  );
  if (found === '') return;
  const namespaces = (await kubectl('get', 'githooks', '-A', '-o=jsonpath={.items[*].metadata.namespace}')).split(' ');
  const others = [...new Set(namespaces)].filter((namespace) => !namespace.startsWith(demoPrefix));
  if (others.length === 0) return;
  throw new SetupError(
    `There are GitHooks in the cluster of context ${JSON.stringify(context)} already (namespaces ${others.join(', ')}), and the demo's kube-git would serve them too: use another cluster.`,
  );
}

/** CRDs that are there already belong to somebody and stay as they are. Those made here stay too, and we say so. */
async function installCrds({ kubectl }: DemoCluster, { context, cleanup, log }: ClusterOptions): Promise<void> {
  const names = ['githooks.kubegit.appspero.com', 'githookruns.kubegit.appspero.com'].map((name) => `crd/${name}`);
  const there = (await kubectl('get', ...names, '--ignore-not-found', '--output=name')).trim().split('\n');
  const isMissing = there.length < names.length;
  if (isMissing) await kubectl('apply', `--filename=${crds}`);
  await kubectl('wait', '--for=condition=Established', '--timeout=30s', ...names);
  if (context === undefined || !isMissing) return;
  cleanup.add('say so', () => log(`the CRDs stay in the cluster; kubectl delete ${names.join(' ')} removes them`));
}

const ownerAnnotation = 'kubegit.appspero.com/demo';

async function makeNamespace(cluster: DemoCluster, { context, cleanup }: ClusterOptions): Promise<void> {
  const { kubectl, namespace } = cluster;
  if (context !== undefined) await removeLeftovers(cluster);
  await kubectl('create', 'namespace', namespace);
  if (context === undefined) return; // it goes away with its cluster
  cleanup.add(`remove the namespace ${namespace}`, () => removeNamespace(cluster, namespace));
  await kubectl('annotate', 'namespace', namespace, `${ownerAnnotation}=${hostname()}/${process.pid}`);
}

/** Its end takes Kubernetes a while (pods get half a minute), which nobody has to wait for. */
async function removeNamespace({ kubectl }: DemoCluster, namespace: string): Promise<void> {
  await kubectl('delete', 'namespace', namespace, '--wait=false', '--ignore-not-found');
}

/** Namespaces of demos on this machine that were killed. */
async function removeLeftovers(cluster: DemoCluster): Promise<void> {
  const { items } = JSON.parse(await cluster.kubectl('get', 'namespaces', '--output=json')) as {
    items: { metadata: { name: string; annotations?: Record<string, string> } }[];
  };
  for (const { metadata } of items) {
    const [host, pid] = metadata.annotations?.[ownerAnnotation]?.split('/') ?? [];
    const isDead = host === hostname() && !isAlive(Number(pid));
    if (metadata.name.startsWith(demoPrefix) && isDead) await removeNamespace(cluster, metadata.name);
  }
}
