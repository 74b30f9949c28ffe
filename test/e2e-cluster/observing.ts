// What the tests of this folder look at in a project's namespace, and wait for. Called by project.ts.
import type { Condition } from '../../src/api/conditions.ts';
import type { GitHook, GitHookStatus } from '../../src/api/githook.ts';
import type { GitHookRun } from '../../src/api/githookrun.ts';
import type { KubeObject } from '../../src/api/object.ts';
import { callApi } from '../env/api.ts';
import { waitFor } from '../env/wait.ts';
import type { Installed } from './installed.ts';

/** From a push to the end of two pods takes 20 s on two idle cores. */
export const deadlineMs = 240_000;

/** Which of a commit's runs. */
export interface Which {
  /** Default refs/heads/main. */
  readonly ref?: string;
  /** Default: the project's first. */
  readonly gitHook?: string;
  /** Default 1: the first time the ref came to this commit. */
  readonly sequence?: number;
}

export interface Observing {
  /** The commit's run, once the condition holds. */
  untilRun(commit: string, condition: (run: GitHookRun) => boolean, which?: Which): Promise<GitHookRun>;
  /** The same, once it has ended. */
  untilEnd(commit: string, which?: Which): Promise<GitHookRun>;
  /** The Job or Workflow of the commit's run, once it is there. */
  untilMade(commit: string, which?: Which): Promise<KubeObject>;
  /** The same, once the run has ended; throws where it has not succeeded. */
  untilSuccess(commit: string, which?: Which): Promise<KubeObject>;
  untilReady(status: 'True' | 'False', gitHook?: string): Promise<Condition>;
  /** The GitHook's status, once it counts so many resources; it is written after the run's own. */
  untilCounted(triggerCount: number, gitHook?: string): Promise<GitHookStatus>;
  /** All of the namespace. */
  runs(): Promise<readonly GitHookRun[]>;
  /** Objects of the namespace: `apis/batch/v1`, `jobs`. */
  list<T>(api: string, plural: string): Promise<readonly T[]>;
  /** What a Job's pod wrote. */
  logOf(job: KubeObject): Promise<string>;
}

const group = 'apis/kubegit.appspero.com/v1alpha1';
const plurals: Readonly<Record<string, string>> = { Job: 'jobs', Workflow: 'workflows' };

export function observing(
  { cluster, kubectl }: Installed,
  project: { readonly name: string; readonly namespace: string },
): Observing {
  const { namespace } = project;
  const get = <T>(api: string, path: string) => callApi<T>(cluster, 'GET', `/${api}/namespaces/${namespace}/${path}`);
  const list: Observing['list'] = async <T>(api: string, plural: string) =>
    (await get<{ items: readonly T[] }>(api, plural)).items;
  const runs = () => list<GitHookRun>(group, 'githookruns');
  const gitHook = (name = project.name) => get<GitHook>(group, `githooks/${name}`);

  const untilRun: Observing['untilRun'] = (commit, condition, which = {}) => {
    const { gitHook: name = project.name, ref = 'refs/heads/main', sequence = 1 } = which;
    const wanted = JSON.stringify([commit, ref, name, sequence]);
    const fitting = async () => {
      const of = ({ spec }: GitHookRun) =>
        JSON.stringify([spec.commit, spec.ref, spec.gitHookRef.name, spec.sequence]) === wanted;
      const [run, ...more] = (await runs()).filter(of);
      if (more.length > 0 || !run || !condition(run)) throw new Error(JSON.stringify(run?.status ?? 'no single run'));
      return run;
    };
    return waitFor(fitting, { what: `the run ${wanted}`, deadlineMs, everyMs: 250 });
  };
  const untilEnd: Observing['untilEnd'] = (commit, which) =>
    untilRun(commit, ({ status }) => status?.completionTime !== undefined, which);

  const madeBy = ({ status }: GitHookRun): Promise<KubeObject> => {
    if (!status?.resource) throw new Error(JSON.stringify(status));
    const { apiVersion, kind, name } = status.resource;
    return get<KubeObject>(`apis/${apiVersion}`, `${plurals[kind]}/${name}`);
  };

  return {
    ...{ list, runs, untilRun, untilEnd },
    untilMade: async (commit, which) =>
      madeBy(await untilRun(commit, ({ status }) => status?.resource?.uid !== undefined, which)),
    untilSuccess: async (commit, which) => {
      const run = await untilEnd(commit, which);
      if (run.status?.phase !== 'Succeeded') throw new Error(JSON.stringify(run.status));
      return madeBy(run);
    },
    untilReady: (wanted, name) => {
      const ready = async () => {
        const condition = (await gitHook(name)).status?.conditions?.find(({ type }) => type === 'Ready');
        if (condition?.status !== wanted) throw new Error(JSON.stringify(condition ?? 'no condition'));
        return condition;
      };
      const what = `Ready ${wanted} of GitHook ${name ?? project.name}`;
      return waitFor(ready, { what, deadlineMs, everyMs: 250 });
    },
    untilCounted: (triggerCount, name) => {
      const counted = async () => {
        const { status } = await gitHook(name);
        if (status?.triggerCount !== triggerCount) throw new Error(JSON.stringify(status));
        return status;
      };
      return waitFor(counted, { what: `triggerCount ${triggerCount} of ${name ?? project.name}`, deadlineMs });
    },
    logOf: ({ metadata }) => kubectl('logs', '-n', namespace, `job/${metadata.name}`),
  };
}
