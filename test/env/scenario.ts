// The main job's surroundings for one test: a namespace on the real API server, a forge with a repository, a GitHook,
// and kube-git as a child process. Pods do not run here: endJob says for them how they ended.
import type { GitHook } from '../../src/api/githook.ts';
import type { GitHookRun } from '../../src/api/githookrun.ts';
import type { KubeObject } from '../../src/api/object.ts';
import { api, testCluster, testNamespace } from './cluster.ts';
import { type Forge, startForge } from './forge.ts';
import type { Entry, Repository } from './git-server.ts';
import { type KubeGit, type KubeGitOptions, startKubeGit, webhookSecret } from './kube-git.ts';
import { type FaultProxy, startProxy } from './proxy.ts';
import { waitFor } from './wait.ts';

const group = '/apis/kubegit.appspero.com/v1alpha1';

/** A Job that a push can run. */
export const jobManifest = `apiVersion: batch/v1
kind: Job
metadata:
  name: build
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: build
          image: busybox
`;

/** What kube-git tells the forge and Slack with: no words that stand anywhere else, so that a leak can be found. */
export const forgeToken = 'ghp_ForgeTokenOfTests0123456789abcdef';
export const slackPath = 'T0TESTS00/B0TESTS00/SlackPathOfTests01234567';

/** The ways to the forge and to Slack, each through a proxy of its own, so that a test can break it and see what was sent. */
export interface Sinks {
  readonly github: FaultProxy;
  readonly slack: FaultProxy;
}

export interface ScenarioOptions extends Omit<Partial<KubeGitOptions>, 'notifications'> {
  /** The notification file's text. Default: notificationsOf. */
  readonly notifications?: (sinks: Sinks) => string;
  /** What the forge's git asks of everybody. Default: nothing. */
  readonly gitCredentials?: { readonly username: string; readonly password: string };
}

export interface Scenario {
  readonly namespace: string;
  readonly forge: Forge;
  readonly sinks: Sinks;
  readonly repository: Repository;
  readonly kubeGit: KubeGit;
  /** Creates a GitHook in the namespace. Default: every branch, job.yaml, both sinks. */
  gitHook(name: string, spec?: Partial<GitHook['spec']>): Promise<GitHook>;
  /** Commits and tells kube-git of it as the forge does after a push. Returns the commit. */
  push(files: Readonly<Record<string, Entry>>, branch?: string): Promise<string>;
  readGitHook(name: string): Promise<GitHook>;
  runs(): Promise<readonly GitHookRun[]>;
  /** Waits until the only run of this commit (of this GitHook) satisfies the condition. */
  untilRun(commit: string, condition: (run: GitHookRun) => boolean, what: string): Promise<GitHookRun>;
  jobs(): Promise<readonly KubeObject[]>;
  /** Ends the Job's pods so that the job controller ends the Job. */
  endJob(name: string, phase: 'Succeeded' | 'Failed'): Promise<void>;
  /** Starts kube-git anew, on the same port, after it was stopped or killed. */
  restart(options?: Partial<KubeGitOptions>): Promise<KubeGit>;
}

/** The notification file with both sinks, as github.forge and slack.team; `changes` are fields that differ. */
export function notificationsOf(
  { github, slack }: Sinks,
  changes: { readonly github?: object; readonly slack?: object } = {},
): string {
  const url = 'https://example.test/${NAMESPACE}/${NAME}';
  return JSON.stringify({
    github: { forge: { url, token: forgeToken, api: `${github.url}/api/v3`, ...changes.github } },
    slack: { team: { url, webhookURL: `${slack.url}/slack/${slackPath}`, channel: '#ci', ...changes.slack } },
  });
}

export async function startScenario(
  t: { after(fn: () => unknown): void },
  { notifications = notificationsOf, gitCredentials, ...options }: ScenarioOptions = {},
): Promise<Scenario> {
  const namespace = await testNamespace(t);
  const forge = await startForge({
    secret: webhookSecret,
    token: forgeToken,
    ...(gitCredentials && { gitCredentials }),
  });
  t.after(() => forge.stop());
  const repository = await forge.createRepository('acme/app');
  const sinks = await startSinks(t, forge);
  const { kubeconfig } = testCluster();
  const base = {
    kubeconfig,
    ...options,
    notifications: notifications(sinks),
    // Tests of messages count what the forge's API is sent; those of the log say that it is to be read.
    args: ['-namespace', namespace, '-delivery-log=false', ...(options.args ?? [])],
  };
  const kubeGit = await startKubeGit(t, base);
  await forge.addWebhook(`${kubeGit.url}/github`);
  const list = async <T>(path: string): Promise<readonly T[]> =>
    ((await api('GET', path)) as { items: readonly T[] }).items;
  const runs = (): Promise<readonly GitHookRun[]> => list(`${group}/namespaces/${namespace}/githookruns`);
  return {
    ...{ namespace, forge, sinks, repository, kubeGit, runs },
    gitHook: async (name, spec) => {
      const created = (await api('POST', `${group}/namespaces/${namespace}/githooks`, {
        ...{ apiVersion: 'kubegit.appspero.com/v1alpha1', kind: 'GitHook', metadata: { name } },
        spec: {
          repository: repository.url,
          branches: ['*'],
          manifest: 'job.yaml',
          notification: { github: 'forge', slack: 'team' },
          ...spec,
        },
      })) as GitHook;
      const key = `${namespace}/${name}`;
      // Ready is written by kube-git after its watch has shown it the GitHook: from then on a push is matched.
      await waitFor(async () => (await readGitHook(namespace, name)).status?.conditions !== undefined, {
        what: `kube-git to see GitHook ${key}`,
      });
      return created;
    },
    push: async (files, branch = 'main') => {
      const ref = `refs/heads/${branch}`;
      const before = (await repository.ref(ref)) ?? '0'.repeat(40);
      const after = await repository.commit(files, { branch });
      await forge.announce({ repository: repository.name, ref, before, after });
      return after;
    },
    readGitHook: (name) => readGitHook(namespace, name),
    untilRun: (commit, condition, what) =>
      waitFor(
        async () => {
          const found = (await runs()).filter((run) => run.spec.commit === commit);
          return found.length === 1 && condition(found[0]!) ? found[0] : undefined;
        },
        {
          what: `the run of ${commit.slice(0, 12)} to be ${what}; kube-git said: ${kubeGit.output().slice(-2000)}`,
          deadlineMs: 30_000,
        },
      ),
    jobs: () => list(`/apis/batch/v1/namespaces/${namespace}/jobs`),
    endJob: (name, phase) => endJob(namespace, name, phase),
    restart: (more) => startKubeGit(t, { ...base, port: kubeGit.port, ...more }),
  };
}

async function startSinks(t: { after(fn: () => unknown): void }, forge: Forge): Promise<Sinks> {
  const sinks = {
    github: await startProxy({ target: new URL(forge.url) }),
    slack: await startProxy({ target: new URL(forge.url) }),
  };
  t.after(() => Promise.all([sinks.github.close(), sinks.slack.close()]));
  return sinks;
}

async function readGitHook(namespace: string, name: string): Promise<GitHook> {
  return (await api('GET', `${group}/namespaces/${namespace}/githooks/${name}`)) as GitHook;
}

export async function endJob(namespace: string, name: string, phase: 'Succeeded' | 'Failed'): Promise<void> {
  const selector = encodeURIComponent(`batch.kubernetes.io/job-name=${name}`);
  const pods = await waitFor(
    async () => {
      const { items } = (await api('GET', `/api/v1/namespaces/${namespace}/pods?labelSelector=${selector}`)) as {
        items: KubeObject[];
      };
      return items.length > 0 && items;
    },
    { what: `pods of Job ${name}` },
  );
  for (const pod of pods) {
    await api('PATCH', `/api/v1/namespaces/${namespace}/pods/${pod.metadata.name}/status`, { status: { phase } });
  }
}
