// One repository on Gitea, one namespace and one GitHook between them, for the tests of this folder: real pushes, and
// waiting for what comes of them.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Condition } from '../../src/api/conditions.ts';
import type { GitHook, GitHookSpec } from '../../src/api/githook.ts';
import type { GitHookRun } from '../../src/api/githookrun.ts';
import { callApi } from '../env/api.ts';
import { openRepository, type Repository } from '../env/git-repository.ts';
import type { CommitStatus, GiteaRepository } from '../env/gitea/client.ts';
import { waitFor } from '../env/wait.ts';
import type { Installed } from './installed.ts';

/** From a push to the end of two pods takes 20 s on two idle cores. */
export const deadlineMs = 240_000;

export interface ProjectOptions {
  readonly namespace: string;
  /** Of the repository and of the GitHook. */
  readonly name: string;
  readonly private?: boolean;
  /** Where Gitea delivers to. Default `/gitea`. */
  readonly door?: '/gitea' | '/github';
  /** Whether the namespace gets install/tenant. Default true. */
  readonly tenant?: boolean;
  /** Of the GitHook; made from the repository. */
  readonly spec?: (repository: GiteaRepository) => Partial<GitHookSpec>;
}

export interface Project {
  readonly namespace: string;
  /** On Gitea. */
  readonly repository: GiteaRepository;
  /** Commits the files to main and pushes it to Gitea over http; returns the commit. */
  push(files: Readonly<Record<string, string>>): Promise<string>;
  /** Pushes an annotated tag of the commit. */
  pushTag(name: string, commit: string): Promise<void>;
  /** The only run of the commit and ref, once the condition holds. */
  untilRun(commit: string, condition: (run: GitHookRun) => boolean, ref?: string): Promise<GitHookRun>;
  /** The same, once it has ended. */
  untilEnd(commit: string, ref?: string): Promise<GitHookRun>;
  untilReady(status: 'True' | 'False'): Promise<Condition>;
  /** The newest status of the commit, read from Gitea, once it is this one. */
  untilStatus(commit: string, status: string): Promise<CommitStatus>;
  /** Objects of the project's namespace: `apis/batch/v1`, `jobs`. */
  list<T>(api: string, plural: string): Promise<readonly T[]>;
  /** Tells Gitea where kube-git's pod is now. */
  addWebhook(): Promise<void>;
}

/** The namespace may be there already. Returns when kube-git knows the GitHook. */
export async function startProject(installed: Installed, options: ProjectOptions): Promise<Project> {
  const { name, namespace, spec = () => ({}), tenant = true } = options;
  const { apply, gitea, kubectl } = installed;
  await apply('default', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  if (tenant) await kubectl('apply', '-k', 'install/tenant', '-n', namespace);
  const repository = await gitea.createRepository(name, { private: options.private ?? false });
  const copy = await localCopy(installed, name);
  const project = {
    ...pushing(installed, repository, copy),
    ...reading(installed, options),
    addWebhook: () => addWebhook(installed, repository, options),
  };
  await project.addWebhook();
  await apply(namespace, {
    ...{ apiVersion: 'kubegit.appspero.com/v1alpha1', kind: 'GitHook', metadata: { name } },
    spec: {
      repository: repository.httpUrl,
      branches: ['*'],
      manifest: 'ci/manifest.yaml',
      notification: { github: 'gitea' },
      ...spec(repository),
    },
  });
  await project.untilReady(tenant ? 'True' : 'False');
  return project;
}

async function localCopy({ folder }: Installed, name: string): Promise<Repository> {
  const path = join(folder, `${name}.git`);
  await mkdir(path);
  const copy = openRepository(name, '', path);
  await copy.git(['init', '-q', '--bare', '-b', 'main']);
  return copy;
}

type Pushing = Pick<Project, 'repository' | 'push' | 'pushTag' | 'untilStatus'>;

function pushing({ gitea }: Installed, repository: GiteaRepository, copy: Repository): Pushing {
  const basic = Buffer.from(`${gitea.username}:${gitea.token}`).toString('base64');
  const env = {
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'http.extraHeader',
    GIT_CONFIG_VALUE_0: `Authorization: Basic ${basic}`,
  };
  const push = (ref: string) => copy.git(['push', '-q', repository.httpUrl, ref], { env });
  return {
    repository,
    push: async (files) => {
      const commit = await copy.commit(files);
      await push('refs/heads/main');
      return commit;
    },
    pushTag: async (name, commit) => {
      await copy.tag(name, commit, `Version ${name}`);
      await push(`refs/tags/${name}`);
    },
    untilStatus: (commit, wanted) => {
      const newest = async () => {
        const [first] = await gitea.statuses(repository.name, commit);
        if (first?.status !== wanted) throw new Error(`it is ${first?.status}`);
        return first;
      };
      return waitFor(newest, { what: `status ${wanted} of ${commit}`, deadlineMs, everyMs: 250 });
    },
  };
}

async function addWebhook(
  { gitea, pod, webhookSecret }: Installed,
  { name }: GiteaRepository,
  { door = '/gitea' }: ProjectOptions,
): Promise<void> {
  const url = `${(await pod()).url}${door}`;
  await gitea.addWebhook(name, { url, secret: webhookSecret, contentType: 'json', events: ['push'] });
}

type Reading = Pick<Project, 'namespace' | 'untilRun' | 'untilEnd' | 'untilReady' | 'list'>;

function reading({ cluster }: Installed, { name, namespace }: ProjectOptions): Reading {
  const list = async <T>(api: string, plural: string): Promise<readonly T[]> =>
    (await callApi<{ items: readonly T[] }>(cluster, 'GET', `/${api}/namespaces/${namespace}/${plural}`)).items;
  const group = 'apis/kubegit.appspero.com/v1alpha1';
  const untilRun: Project['untilRun'] = (commit, condition, ref = 'refs/heads/main') => {
    const fitting = async () => {
      const runs = await list<GitHookRun>(group, 'githookruns');
      const [run, ...more] = runs.filter(({ spec }) => spec.commit === commit && spec.ref === ref);
      if (more.length > 0 || !run || !condition(run)) throw new Error(JSON.stringify(run?.status ?? 'no single run'));
      return run;
    };
    return waitFor(fitting, { what: `the run of ${commit} on ${ref}`, deadlineMs, everyMs: 250 });
  };
  return {
    ...{ namespace, list, untilRun },
    untilEnd: (commit, ref) => untilRun(commit, ({ status }) => status?.completionTime !== undefined, ref),
    untilReady: (wanted) => {
      const ready = async () => {
        const hook = (await list<GitHook>(group, 'githooks')).find(({ metadata }) => metadata.name === name);
        const condition = hook?.status?.conditions?.find(({ type }) => type === 'Ready');
        if (condition?.status !== wanted) throw new Error(JSON.stringify(condition ?? 'no condition'));
        return condition;
      };
      return waitFor(ready, { what: `Ready ${wanted} of GitHook ${name}`, deadlineMs, everyMs: 250 });
    },
  };
}
