// One repository on Gitea, one namespace and GitHooks between them, for the tests of this folder: real pushes, and
// waiting for what comes of them.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { GitHookSpec } from '../../src/api/githook.ts';
import { openRepository, type Repository } from '../env/git-repository.ts';
import type { CommitStatus, GiteaRepository, WebhookOptions } from '../env/gitea/client.ts';
import { waitFor } from '../env/wait.ts';
import type { Installed } from './installed.ts';
import { deadlineMs, type Observing, observing } from './observing.ts';

export interface ProjectOptions {
  readonly namespace: string;
  /** Of the repository and of its first GitHook. */
  readonly name: string;
  readonly private?: boolean;
  /** Where Gitea delivers to. Default `/gitea`. */
  readonly door?: '/gitea' | '/github';
  /** Whether the namespace gets install/tenant. Default true. */
  readonly tenant?: boolean;
  /** What the first GitHook is to become. Default: what follows from `tenant`. */
  readonly ready?: 'True' | 'False';
  /** The namespace kube-git is installed in. Default `default`. */
  readonly home?: string;
  /** Of the first GitHook; made from the repository. */
  readonly spec?: (repository: GiteaRepository) => Partial<GitHookSpec>;
}

export interface Project extends Observing {
  readonly namespace: string;
  /** On Gitea. */
  readonly repository: GiteaRepository;
  /** What is pushed from. */
  readonly copy: Repository;
  /** Commits the files to main and pushes it to Gitea over http; returns the commit. */
  push(files: Readonly<Record<string, string>>): Promise<string>;
  /** Pushes an annotated tag of the commit. */
  pushTag(name: string, commit: string): Promise<void>;
  /** Pushes what git calls refspecs, all with one push: a ref, +ref to force it, :ref to delete it. */
  pushRefs(...refspecs: readonly string[]): Promise<void>;
  /** The newest status of the commit in the GitHook's context (default: the first one's), read from Gitea, once it is this one. */
  untilStatus(commit: string, status: string, gitHook?: string): Promise<CommitStatus>;
  /** Applies a further GitHook for the same manifest, and waits until it is Ready. */
  addGitHook(name: string, spec: Partial<GitHookSpec>): Promise<void>;
  /** Tells Gitea where kube-git's pod is now; returns the webhook's id. */
  addWebhook(options?: Partial<WebhookOptions> & { readonly door?: '/gitea' | '/github' }): Promise<number>;
}

/** The namespace may be there already. Returns when kube-git knows the GitHook. */
export async function startProject(installed: Installed, options: ProjectOptions): Promise<Project> {
  const { name, namespace, spec = () => ({}), tenant = true } = options;
  const { apply, gitea, kubectl } = installed;
  await apply('default', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  if (tenant) await kubectl('apply', '-k', 'install/tenant', '-n', namespace);
  const repository = await gitea.createRepository(name, { private: options.private ?? false });
  const observed = observing(installed, options);
  const applyGitHook = (metadata: object, changes: Partial<GitHookSpec>) =>
    apply(namespace, {
      ...{ apiVersion: 'kubegit.appspero.com/v1alpha1', kind: 'GitHook', metadata },
      spec: { ...defaultsFor(repository), ...changes },
    });
  const project = {
    ...pushing(installed, repository, await localCopy(installed, name)),
    ...observed,
    ...{ namespace, repository },
    untilStatus: statusesOf(installed, repository, options),
    addGitHook: async (other: string, changes: Partial<GitHookSpec>) => {
      await applyGitHook({ name: other }, changes);
      await observed.untilReady('True', other);
    },
    addWebhook: webhooksOf(installed, repository, options),
  };
  await project.addWebhook();
  await applyGitHook({ name }, spec(repository));
  await project.untilReady(options.ready ?? (tenant ? 'True' : 'False'));
  return project;
}

function defaultsFor({ httpUrl }: GiteaRepository): GitHookSpec {
  const notification = { github: 'github-example' };
  return { repository: httpUrl, branches: ['*'], manifest: 'ci/manifest.yaml', notification };
}

async function localCopy({ folder }: Installed, name: string): Promise<Repository> {
  const path = join(folder, `${name}.git`);
  await mkdir(path);
  const copy = openRepository(name, '', path);
  await copy.git(['init', '-q', '--bare', '-b', 'main']);
  return copy;
}

type Pushing = Pick<Project, 'copy' | 'push' | 'pushTag' | 'pushRefs'>;

function pushing({ gitea }: Installed, { httpUrl }: GiteaRepository, copy: Repository): Pushing {
  const basic = Buffer.from(`${gitea.username}:${gitea.token}`).toString('base64');
  const env = {
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'http.extraHeader',
    GIT_CONFIG_VALUE_0: `Authorization: Basic ${basic}`,
  };
  const pushRefs = async (...refspecs: readonly string[]): Promise<void> => {
    await copy.git(['push', '-q', httpUrl, ...refspecs], { env });
  };
  return {
    ...{ copy, pushRefs },
    push: async (files) => {
      const commit = await copy.commit(files);
      await pushRefs('refs/heads/main');
      return commit;
    },
    pushTag: async (name, commit) => {
      await copy.tag(name, commit, `Version ${name}`);
      await pushRefs(`refs/tags/${name}`);
    },
  };
}

function statusesOf(
  { gitea }: Installed,
  repository: GiteaRepository,
  { name, namespace }: ProjectOptions,
): Project['untilStatus'] {
  return (commit, wanted, gitHook = name) => {
    const newest = async () => {
      const all = await gitea.statuses(repository.name, commit);
      const first = all.find(({ context }) => context === `kube-git/${namespace}/${gitHook}`);
      if (first?.status !== wanted) throw new Error(`it is ${first?.status}`);
      return first;
    };
    return waitFor(newest, { what: `status ${wanted} of ${commit} for ${gitHook}`, deadlineMs, everyMs: 250 });
  };
}

function webhooksOf(
  { gitea, pod, webhookSecret }: Installed,
  repository: GiteaRepository,
  options: ProjectOptions,
): Project['addWebhook'] {
  return async ({ door = options.door ?? '/gitea', ...changes } = {}) => {
    const url = `${(await pod(options.home)).url}${door}`;
    const webhook = { url, secret: webhookSecret, contentType: 'json', events: ['push'] } as const;
    return gitea.addWebhook(repository.name, { ...webhook, ...changes });
  };
}
