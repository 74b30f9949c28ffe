// The namespace of one scenario, as install/tenant makes it ready: the account that kube-git acts as, a Secret for git, the
// GitHook of the reference run and its neighbour.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import type { GitHook } from '../../src/api/githook.ts';
import type { GitHookRun } from '../../src/api/githookrun.ts';
import type { KubeObject } from '../../src/api/object.ts';
import { api } from '../env/cluster.ts';
import { waitFor } from '../env/wait.ts';
import { gitCredentials, type Lane } from './lane.ts';

const apiVersion = 'kubegit.appspero.com/v1alpha1';
const secret = 'git-credentials';
export const account = 'kube-git-runner';

/** Its pushes need no Job: a run of it goes all the way from the delivery to git and ends there. */
const neighbourManifest = 'not-there.yaml';
export const neighbourBranch = 'neighbour';

/** The account, its rights, and the Secret: before kube-git starts. */
export async function prepareNamespace(namespace: string): Promise<void> {
  const file = join(import.meta.dirname, '../../install/tenant/runner.yaml');
  const { username, password } = gitCredentials;
  const stringData = { username, password };
  const objects = [
    ...(loadAll(await readFile(file, 'utf8')) as KubeObject[]),
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: secret }, stringData },
  ];
  for (const object of objects) {
    const group = object.apiVersion === 'v1' ? '/api/v1' : `/apis/${object.apiVersion}`;
    await api('POST', `${group}/namespaces/${namespace}/${object.kind.toLowerCase()}s`, object);
  }
}

/** The GitHooks; resolves when kube-git has found nothing wrong with them. */
export async function createGitHooks(namespace: string, lane: Lane, polled = false): Promise<void> {
  const path = `/apis/${apiVersion}/namespaces/${namespace}/githooks`;
  const common = {
    repository: `${lane.doors.git.url}/acme/app.git`,
    serviceAccountName: account,
    usernameSecret: { name: secret, key: 'username' },
    passwordSecret: { name: secret, key: 'password' },
    // The reference run is that of a webhook.
    ...(polled ? {} : { poll: { intervalSeconds: 0 } }),
  };
  const hooks = {
    app: { branches: ['main'], manifest: 'job.yaml', notification: { github: 'forge', slack: 'team' } },
    neighbour: { branches: [neighbourBranch], manifest: neighbourManifest },
  };
  for (const [name, spec] of Object.entries(hooks)) {
    await api('POST', path, { apiVersion, kind: 'GitHook', metadata: { name }, spec: { ...common, ...spec } });
  }
  const isReady = ({ status }: GitHook): boolean =>
    status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') === true;
  const gitHooks = async (): Promise<readonly GitHook[]> => (await api<{ items: GitHook[] }>('GET', path)).items;
  await waitFor(async () => (await gitHooks()).every(isReady), {
    what: 'the GitHooks to be Ready',
    deadlineMs: 30_000,
  });
}

async function list<T>(group: string, namespace: string, plural: string): Promise<readonly T[]> {
  return (await api<{ items: T[] }>('GET', `${group}/namespaces/${namespace}/${plural}`)).items;
}

export function runsIn(namespace: string): Promise<readonly GitHookRun[]> {
  return list(`/apis/${apiVersion}`, namespace, 'githookruns');
}

export function gitHooksIn(namespace: string): Promise<readonly GitHook[]> {
  return list(`/apis/${apiVersion}`, namespace, 'githooks');
}

export function jobsIn(namespace: string): Promise<readonly KubeObject[]> {
  return list('/apis/batch/v1', namespace, 'jobs');
}

export function eventsIn(namespace: string): Promise<readonly unknown[]> {
  return list('/api/v1', namespace, 'events');
}
