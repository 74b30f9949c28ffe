// kube-git as a user has it, for the tests of this folder: its image in a cluster with a node, installed with the commands
// of docs/install.md and nothing but the rights they give, with Argo Workflows, and with a Gitea that pods reach.
import { appendFile, cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildImage } from '../../hack/image/build.ts';
import { version } from '../../src/config.ts';
import { messageOf } from '../../src/errors.ts';
import { callApi } from '../env/api.ts';
import { type Argo, startArgo } from '../env/argo/argo.ts';
import { makeDataFolder } from '../env/data-folder.ts';
import { type Gitea, startGitea } from '../env/gitea/gitea.ts';
import { type NodeCluster, startClusterWithNode } from '../env/node/cluster-with-node.ts';
import { nodeName } from '../env/node/kubelet.ts';
import { waitFor } from '../env/wait.ts';
import { type Chat, startChat } from './chat.ts';
import { diagnose } from './diagnose.ts';

export interface Installed {
  readonly cluster: NodeCluster;
  readonly gitea: Gitea;
  /** What the entry slack-ci of the notification file leads to. */
  readonly chat: Chat;
  /** What forge and kube-git share. */
  readonly webhookSecret: string;
  /** A copy of install and examples; `-k install/tenant` in a command below means the one in it. */
  readonly folder: string;
  /** The name of the pod that leads, and where its webhooks are: there are no Services here. Waits until all replicas are Ready. */
  pod(namespace?: string): Promise<{ readonly name: string; readonly url: string }>;
  kubectl(...args: string[]): Promise<string>;
  /** Waits until what `kubectl apply` made of the Deployment is there. */
  rolledOut(namespace?: string): Promise<void>;
  /** The text of a file of examples. */
  example(name: string): Promise<string>;
  /** Applies the objects, each in the namespace. */
  apply(namespace: string, ...objects: readonly object[]): Promise<void>;
  /** What a person needs to see when something did not happen. Never rejects. */
  diagnose(): Promise<string>;
  stop(): Promise<void>;
}

/** A node and a program start in seconds; a machine with much else to do takes minutes. */
const readyWithinMs = 240_000;
/** Where nobody answers: the node must use the image it was given. */
const imageName = 'registry.example.com/kube-git';
const webhookSecret = 'the webhook secret of the installation';

/** Takes two minutes on two idle cores. What was started is stopped when a later part fails. */
export async function startInstalled(log: (line: string) => void): Promise<Installed> {
  const undo: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const step of undo.splice(0).toReversed()) await step();
  };
  try {
    const folder = await makeDataFolder('in-cluster');
    undo.push(() => rm(folder, { recursive: true, force: true }));
    const cluster = await startClusterWithNode({ log });
    undo.push(() => cluster.stop());
    const gitea = await startGitea({ address: cluster.hostAddress, log });
    undo.push(() => gitea.stop());
    const argo = await startArgo({ cluster, log });
    undo.push(() => argo.stop());
    const chat = await startChat(cluster.hostAddress);
    undo.push(() => chat.stop());
    const installed = { ...helpersOf({ cluster, gitea, argo, chat, folder }), stop };
    await provideStorage(installed);
    await provideImage(installed, log);
    await install(installed).catch(async (error: unknown) => {
      throw new Error(`${messageOf(error)}\n\n${await installed.diagnose()}`, { cause: error });
    });
    return installed;
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Parts {
  readonly cluster: NodeCluster;
  readonly gitea: Gitea;
  readonly argo: Argo;
  readonly chat: Chat;
  readonly folder: string;
}

function helpersOf({ argo, chat, cluster, folder, gitea }: Parts): Omit<Installed, 'stop'> {
  let count = 0;
  const kubectl = (...args: string[]) =>
    cluster.kubectl(args.map((arg) => arg.replace(/^(install|examples)(?=\/|$)/, join(folder, '$1'))));
  return {
    ...{ cluster, gitea, chat, folder, webhookSecret, kubectl },
    pod: (namespace = 'default') =>
      waitFor(() => leadingPod(cluster, namespace), { what: "kube-git's pods to be ready", deadlineMs: readyWithinMs }),
    rolledOut: async (namespace = 'default') => {
      const deadline = `--timeout=${readyWithinMs / 1000}s`;
      await kubectl('rollout', 'status', 'deployment/kube-git', '-n', namespace, deadline);
    },
    example: (name) => readFile(join(folder, 'examples', name), 'utf8'),
    apply: async (namespace, ...items) => {
      const file = join(folder, `objects-${++count}.json`);
      await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items }), { mode: 0o600 });
      await kubectl('apply', '-n', namespace, '-f', file);
    },
    diagnose: () => diagnose({ kubectl, argo, gitea }),
  };
}

interface Pod {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly status?: {
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

async function leadingPod(cluster: NodeCluster, namespace: string): Promise<{ name: string; url: string } | undefined> {
  const path = `/api/v1/namespaces/${namespace}/pods?labelSelector=k8s-app%3Dkube-git`;
  const { items } = await callApi<{ items: readonly Pod[] }>(cluster, 'GET', path);
  const lease = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/kube-git`;
  const { spec } = await callApi<{ spec: { holderIdentity?: string } }>(cluster, 'GET', lease);
  const isReady = ({ metadata, status }: Pod): boolean =>
    metadata.deletionTimestamp === undefined &&
    status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') === true;
  const leader = items.every(isReady) ? items.find(({ metadata }) => metadata.name === spec.holderIdentity) : undefined;
  return leader && { name: leader.metadata.name, url: `http://${leader.status?.podIP}:8080` };
}

/** The test node's kubelet counts no local storage, so it offers none; the Deployment asks for some, as on any other node. */
async function provideStorage({ kubectl }: Omit<Installed, 'stop'>): Promise<void> {
  const storage = { 'ephemeral-storage': '10Gi' };
  const patch = JSON.stringify({ status: { capacity: storage, allocatable: storage } });
  await kubectl('patch', 'node', nodeName, '--subresource=status', '--type=merge', '-p', patch);
}

async function provideImage({ cluster, folder }: Omit<Installed, 'stop'>, log: (line: string) => void): Promise<void> {
  const file = join(folder, 'image.tar');
  await buildImage({ name: `${imageName}:${version}`, file, log });
  await cluster.importImage(file);
}

/** As docs/install.md says; the notification file is one of the 2019 program's. */
async function install(installed: Omit<Installed, 'stop'>): Promise<void> {
  const { chat, folder, gitea, kubectl, pod, rolledOut } = installed;
  const root = join(import.meta.dirname, '../..');
  // Not what somebody has made beside it: those may be their secrets.
  const filter = (path: string): boolean => !/install\/secrets\/(webhook\.env|notification\.yaml)$/.test(path);
  for (const name of ['install', 'examples']) {
    await cp(join(root, name), join(folder, name), { recursive: true, filter });
  }
  const images = `images: [{ name: kube-git, newName: ${imageName} }]\n`;
  await appendFile(join(folder, 'install/base/kustomization.yaml'), images);
  const secrets = ['GITHUB', 'GITEA'].map((forge) => `${forge}_WEBHOOK_SECRET=${webhookSecret}\n`);
  await writeFile(join(folder, 'install/secrets/webhook.env'), secrets.join(''));
  const notification = await readFile(join(import.meta.dirname, 'testdata/original/notification.yaml'), 'utf8');
  const values = { TOKEN: gitea.token, API: `${gitea.url}/api/v1`, WEBHOOK_URL: chat.url };
  await writeFile(join(folder, 'install/secrets/notification.yaml'), filled(notification, values));
  await kubectl('apply', '-k', 'install/secrets');
  await kubectl('apply', '-k', 'install');
  await kubectl('apply', '-f', 'install/examples/ingress.yaml');
  await rolledOut();
  await pod();
}

/** The text with these capitals filled in. */
export function filled(text: string, values: Readonly<Record<string, string>>): string {
  return Object.entries(values).reduce((all, [name, value]) => all.replaceAll(` ${name}\n`, ` ${value}\n`), text);
}
