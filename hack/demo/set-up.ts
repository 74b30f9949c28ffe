// Brings up all that the demo shows: cluster, forge, GitHook, kube-git, and the eyes on them. Called by demo.ts.
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Forge, startForge } from '../../test/env/forge.ts';
import type { Repository } from '../../test/env/git-server.ts';
import { startApi } from './api.ts';
import { type Cleanup, createFolder } from './cleanup.ts';
import { type DemoCluster, prepareCluster } from './cluster.ts';
import { type RunningKubeGit, startKubeGit } from './kube-git.ts';
import { Narrator } from './narrator.ts';
import type { Options } from './options.ts';
import { createWorkingCopy, requireGit, type WorkingCopy } from './repository.ts';
import { formatLine, type Style } from './timeline.ts';
import { untilAborted } from './until-aborted.ts';
import { watchNamespace } from './watch.ts';

export interface DemoOptions extends Options {
  readonly style: Style;
  readonly write: (line: string) => void;
  readonly cleanup: Cleanup;
  /** Ends the demo wherever it is. */
  readonly signal: AbortSignal;
}

/** Everything that runs and is looked at. */
export interface Stage {
  readonly cluster: DemoCluster;
  readonly forge: Forge;
  readonly repository: Repository;
  readonly kubeGit: RunningKubeGit;
  readonly workingCopy: WorkingCopy;
  readonly narrator: Narrator;
}

/** Says what it waits for. What it starts is undone by `cleanup`. */
export async function setUp(options: DemoOptions): Promise<Stage> {
  const { cleanup, style, signal, write } = options;
  const startedAt = performance.now();
  const say = (what: string, detail: string): void =>
    write(formatLine({ elapsedMs: performance.now() - startedAt, what, detail, mood: 'neutral' }, style));
  await requireGit();
  const folder = await createFolder(cleanup);
  const cluster = await prepareCluster({ ...options, folder, log: (line) => say('cluster', line) });
  say('namespace', `${cluster.namespace}, with the CRDs`);
  return Promise.race([setTheStage({ ...options, cluster, folder, say, startedAt }), untilAborted(signal)]);
}

interface StageOptions extends DemoOptions {
  readonly cluster: DemoCluster;
  readonly folder: string;
  readonly say: (what: string, detail: string) => void;
  readonly startedAt: number;
}

async function setTheStage({ cluster, folder, say, cleanup, style, write, startedAt }: StageOptions): Promise<Stage> {
  const secret = randomBytes(16).toString('hex');
  const forge = await startForge({ secret, token: 'demo-token', root: join(folder, 'forge') });
  cleanup.add('stop the forge', () => forge.stop());
  const repository = await forge.createRepository(cluster.repository);
  const workingCopy = await createWorkingCopy(join(folder, 'work'), repository.url);
  say('forge', `git, commit statuses and Slack at ${forge.url}`);

  const notificationFile = await prepareFiles({ cluster, forge, folder, url: repository.url });
  say('GitHook', `greet, for ${repository.url}`);
  const kubeGit = await startKubeGit({ kubeconfig: cluster.kubeconfig, notificationFile, secret, folder }, cleanup);
  say('kube-git', `ready, webhooks to ${kubeGit.webhookUrl}`);

  const narrator = new Narrator({ style, write, now: () => performance.now(), startedAt });
  const stage = { cluster, forge, repository, kubeGit, workingCopy, narrator };
  await lookAt(stage, folder, cleanup);
  await forge.addWebhook(kubeGit.webhookUrl);
  return stage;
}

/** Applies the GitHook and writes the notification file, with the forge's real address in both. */
async function prepareFiles(stage: {
  cluster: DemoCluster;
  forge: Forge;
  folder: string;
  url: string;
}): Promise<string> {
  const { cluster, forge, folder, url } = stage;
  const fill = (text: string): string =>
    text.replaceAll('http://127.0.0.1:3000/acme/app.git', url).replaceAll('http://127.0.0.1:3000', forge.url);
  const gitHookFile = join(folder, 'githook.yaml');
  const notificationFile = join(folder, 'notification.yaml');
  await writeFile(gitHookFile, fill(await readExample('githook.yaml')));
  await writeFile(notificationFile, fill(await readExample('notification.yaml')), { mode: 0o600 });
  await cluster.kubectl('apply', `--namespace=${cluster.namespace}`, `--filename=${gitHookFile}`);
  return notificationFile;
}

/** Lets the narrator see what happens at the forge and in the namespace, until the demo is cleaned up. */
async function lookAt(
  { cluster, forge, narrator, repository }: Stage,
  folder: string,
  cleanup: Cleanup,
): Promise<void> {
  const api = await startApi(cluster.program, folder, cleanup);
  const observe = narrator.observe.bind(narrator);
  const stop = new AbortController();
  const watching = watchNamespace({ api, namespace: cluster.namespace, observe, signal: stop.signal });
  cleanup.add('stop watching', async () => {
    stop.abort();
    await watching;
  });
  forge.on('push', (push) => {
    observe({ kind: 'push', push });
    // Of a push from elsewhere; one without job.yaml (a deleted branch) has nothing to fetch.
    const known = repository.git(['rev-parse', '--verify', `${push.after}:job.yaml`]);
    known.then((id) => narrator.knowManifest(id, push.after)).catch(() => {});
  });
  forge.on('delivery', (delivery) => observe({ kind: 'delivery', delivery }));
  forge.on('fetch', (fetch) => observe({ kind: 'fetch', fetch }));
  forge.on('status', (status) => observe({ kind: 'status', status }));
  forge.on('message', (message) => observe({ kind: 'message', message }));
}

/** A file of examples/demo. */
export async function readExample(name: string): Promise<string> {
  return readFile(join(import.meta.dirname, '../../examples/demo', name), 'utf8');
}
