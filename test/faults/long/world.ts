// Everything around kube-git in a long run: a control plane of its own, a forge, a git server, Slack, a proxy before each, the
// GitHooks and the replicas. Ended by end(), which touches only what was started here.

import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { bundle } from '../../../hack/bundle.ts';
import { callApi } from '../../env/api.ts';
import { type ControlPlane, startControlPlane } from '../../env/control-plane.ts';
import { installCrds } from '../../env/crds.ts';
import { makeDataFolder } from '../../env/data-folder.ts';
import { type Forge, startForge } from '../../env/forge.ts';
import { type GitServer, startGitServer } from '../../env/git-server.ts';
import type { Leftovers } from '../../env/leftovers.ts';
import { freePort } from '../../env/ports.ts';
import { type FaultProxy, startProxy } from '../../env/proxy.ts';
import { forgeToken, notificationsOf } from '../../env/scenario.ts';
import { waitFor } from '../../env/wait.ts';
import type { LongOptions } from './options.ts';
import { type HookPlan, planHooks } from './pushes.ts';
import { Replica } from './replica.ts';
import { Trail } from './trail.ts';

const root = join(import.meta.dirname, '../../..');
const group = 'kubegit.appspero.com/v1alpha1';
const namespaces = ['team-a', 'team-b', 'team-c', 'team-d', 'team-e'];
const leaseSeconds = 5;
const controllers = [
  'garbage-collector-controller',
  'job-controller',
  'namespace-controller',
  'root-ca-certificate-publisher-controller',
  'serviceaccount-controller',
  'ttl-after-finished-controller',
];
/** By default it makes 20 requests a second: three Jobs. */
const fast = ['--kube-api-qps=400', '--kube-api-burst=800', '--concurrent-job-syncs=16'];

export interface World {
  readonly plane: ControlPlane;
  readonly forge: Forge;
  readonly git: GitServer;
  readonly proxies: Readonly<Record<'forge' | 'slack' | 'git', FaultProxy>>;
  readonly replicas: readonly Replica[];
  readonly hooks: readonly HookPlan[];
  readonly trail: Trail;
}

/** The replicas are not started yet. */
export async function makeWorld(t: Leftovers, options: LongOptions, signal: AbortSignal): Promise<World> {
  const folder = await makeDataFolder('long-run');
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  const { file: program } = await bundle(join(folder, 'kube-git.mjs'));
  const plane = await startControlPlane({ signal });
  t.after(() => plane.stop());
  await installCrds(plane, join(root, 'install/crds'));
  await plane.startControllerManager(controllers, fast);
  const forge = await startForge({ secret: 'none is sent by it', token: forgeToken });
  t.after(() => forge.stop());
  const git = await startGitServer({ root: await made(join(folder, 'git')) });
  t.after(() => git.stop());
  const trail = new Trail();
  const before = async (place: string, target: string, ca?: string): Promise<FaultProxy> => {
    const proxy = await startProxy({ target: new URL(target), ...(ca && { ca }), onDone: trail.note(place) });
    t.after(() => proxy.close());
    return proxy;
  };
  const proxies = {
    forge: await before('forge', forge.url),
    slack: await before('slack', forge.url),
    git: await before('git', git.url),
  };
  const common = {
    kubeconfig: plane.kubeconfig,
    program,
    notifications: notificationsOf({ github: proxies.forge, slack: proxies.slack }),
    args: [`-leader-elect-lease-duration=${leaseSeconds}s`],
  };
  const replicas: Replica[] = [];
  for (let number = 1; number <= options.replicas; number++) {
    const name = `replica-${number}`;
    const apiProxy = await before(`api of ${name}`, plane.server, plane.ca);
    replicas.push(
      new Replica(t, { name, port: await freePort(), apiProxy, folder: await made(join(folder, name)), common }),
    );
  }
  return { plane, forge, git, proxies, replicas, hooks: planHooks(options.gitHooks, namespaces), trail };
}

/** Creates the GitHooks, then starts the replicas: from the first moment all know of all GitHooks. */
export async function startReplicas({ plane, proxies, replicas, hooks }: World): Promise<void> {
  for (const name of namespaces) {
    await callApi(plane, 'POST', '/api/v1/namespaces', { body: { metadata: { name } } });
  }
  for (const { namespace, name, repository, branch } of hooks) {
    const spec = {
      ...{ repository: `${proxies.git.url}/${repository}.git`, branches: [branch], manifest: 'job.yaml' },
      notification: { github: 'forge', slack: 'team' },
    };
    const body = { apiVersion: group, kind: 'GitHook', metadata: { name }, spec };
    await callApi(plane, 'POST', `/apis/${group}/namespaces/${namespace}/githooks`, { body });
  }
  // Pods are refused until their account is there.
  for (const name of namespaces) {
    const account = `/api/v1/namespaces/${name}/serviceaccounts/default`;
    await waitFor(() => callApi(plane, 'GET', account), { what: account, deadlineMs: 60_000 });
  }
  await Promise.all(replicas.map((replica) => replica.start({ early: false })));
}

async function made(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  return folder;
}
