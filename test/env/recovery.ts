// For tests of the search for lost pushes: a scenario that looks every second, and what can be asked of it. The forge is a
// real git server that says nothing unless a test has it announce.
import type { GitHook } from '../../src/api/githook.ts';
import { api } from './cluster.ts';
import type { FaultProxy } from './proxy.ts';
import { jobManifest, type Scenario, type ScenarioOptions, startScenario } from './scenario.ts';
import { waitFor } from './wait.ts';

type Context = Parameters<typeof startScenario>[0];

export const quick = ['-poll-interval=1s', '-poll-settle=1s'];
export const files = { 'job.yaml': jobManifest };

/** A scenario that looks every second, with a GitHook whose baseline is taken; the repository has a commit on main. */
export async function start(
  t: Context,
  options: ScenarioOptions & { readonly spec?: Partial<GitHook['spec']> } = {},
): Promise<Scenario & { readonly first: string }> {
  const s = await startScenario(t, { args: quick, ...options });
  const first = await s.repository.commit(files);
  await s.gitHook('app', options.spec);
  await untilLooked(s);
  return { ...s, first };
}

export interface ConfigMap {
  readonly metadata: { readonly name: string; readonly ownerReferences: readonly { readonly uid: string }[] };
  readonly data: Readonly<Record<string, string>>;
}

export async function baselines(s: Scenario): Promise<readonly ConfigMap[]> {
  const { items } = await api<{ items: readonly ConfigMap[] }>('GET', `/api/v1/namespaces/${s.namespace}/configmaps`);
  return items.filter(({ metadata }) => metadata.name.startsWith('kube-git-refs-'));
}

/** Until every GitHook has its baseline. */
export async function untilLooked(s: Scenario, count = 1): Promise<void> {
  await waitFor(async () => (await baselines(s)).length === count, {
    what: `the baseline; ${s.kubeGit.output().slice(-1500)}`,
    deadlineMs: 20_000,
  });
}

/** Moves main without telling anybody. */
export function silently(s: Scenario, branch = 'main'): Promise<string> {
  return s.repository.commit({ ...files, README: `${Math.random()}` }, { branch });
}

export const found = (s: Scenario, commit: string) => s.untilRun(commit, ({ spec }) => spec.source === 'Poll', 'found');

/** Waits until a push made now has been found, which is proof that everything before it has been looked at, too. */
export async function untilAllLooked(s: Scenario): Promise<void> {
  await found(s, await silently(s, `marker-${Math.random()}`.replace('.', '')));
}

export async function events(s: Scenario, reason: string): Promise<readonly string[]> {
  const path = `/api/v1/namespaces/${s.namespace}/events`;
  const { items } = await api<{ items: readonly { reason: string; message: string }[] }>('GET', path);
  return items.filter((event) => event.reason === reason).map(({ message }) => message);
}

export async function patch(s: Scenario, spec: Partial<GitHook['spec']>, name = 'app'): Promise<void> {
  await api('PATCH', `/apis/kubegit.appspero.com/v1alpha1/namespaces/${s.namespace}/githooks/${name}`, { spec });
}

/** Until the baseline has been read so many times more. */
export async function waitForLooks(proxy: FaultProxy, count: number): Promise<void> {
  const looks = (): number =>
    proxy.log.filter(({ path, method }) => method === 'GET' && path.includes('/configmaps/')).length;
  const from = looks();
  await waitFor(() => looks() >= from + count, { what: 'looks', deadlineMs: 30_000 });
}
