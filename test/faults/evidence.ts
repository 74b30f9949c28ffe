// What a scenario leaves for the oracles to judge. Facts only; gathered by scenario.ts.
import type { GitHook } from '../../src/api/githook.ts';
import type { GitHookRun } from '../../src/api/githookrun.ts';
import type { KubeObject } from '../../src/api/object.ts';
import type { CommitStatus } from '../env/forge/statuses.ts';
import type { SlackMessage } from '../env/forge.ts';
import type { Seen } from './observer.ts';
import type { Call } from './points.ts';

export interface Evidence {
  readonly namespace: string;
  /** The ServiceAccount that the GitHooks name. */
  readonly account: string;
  /** Every request since the push, through every door, in the order they came. */
  readonly calls: readonly Call[];
  /** Every version of runs and Jobs since the namespace was made. */
  readonly runVersions: readonly Seen<GitHookRun>[];
  readonly jobVersions: readonly Seen<KubeObject>[];
  /** At the end. */
  readonly runs: readonly GitHookRun[];
  readonly gitHooks: readonly GitHook[];
  /** How the runs of GitHook `app` have to end, such as Succeeded or Failed/NameTaken. */
  readonly expected: string;
  /** What the forge and Slack accepted, in their order. */
  readonly statuses: readonly CommitStatus[];
  readonly messages: readonly SlackMessage[];
  /** What people and machines can read, by where: logs, arguments, answers, objects, metrics. */
  readonly texts: ReadonlyMap<string, string>;
  /** What must not stand there, by name. */
  readonly secrets: ReadonlyMap<string, string>;
  /** How often kube-git was started. */
  readonly lives: number;
  /** How many minutes were made to pass. */
  readonly minutes: number;
  /** What was waited for in vain; empty when all came to an end. */
  readonly inVain: readonly string[];
  /** From when on nothing was to be done any more (performance.now). */
  readonly quietFrom: number;
  /** Of the last life, at the end: its children's command lines, its temporary folders, open files before the push and now. */
  readonly children: readonly string[];
  readonly folders: readonly string[];
  readonly descriptors: { readonly before: number; readonly after: number };
  /** How long a push to the neighbour took to its end. */
  readonly neighbourMs: number;
}

/** The end of a run in one word. */
export function endOf({ status }: GitHookRun): string {
  return status?.phase === 'Failed' ? `Failed/${status.reason}` : (status?.phase ?? 'none');
}

/** The UIDs of all Jobs that were ever made for this run: those the watch showed, and those kube-git was told of. */
export function childrenEver({ jobVersions, calls }: Evidence, run: GitHookRun): ReadonlySet<string> {
  const answers = calls
    .filter(({ what, status }) => what === 'POST jobs' && status === 201)
    .flatMap(({ answer }) => wholeObjects(answer));
  const all = [...jobVersions.map(({ object }) => object), ...answers];
  const own = all.filter((job) => job.metadata.ownerReferences?.some(({ uid }) => uid === run.metadata.uid));
  return new Set(own.map(({ metadata }) => metadata.uid ?? ''));
}

/** None where kube-git died while the answer was on its way: that Job the watch shows. */
function wholeObjects(answer: string): readonly KubeObject[] {
  try {
    return [JSON.parse(answer) as KubeObject];
  } catch {
    return [];
  }
}

/** Pushes that were delivered and answered: the delivery's id, and the answer. */
export function deliveriesOf({ calls }: Evidence): readonly { readonly id: string; readonly call: Call }[] {
  return calls
    .filter(({ what, headers }) => what === 'delivery' && headers['x-github-event'] === 'push')
    .map((call) => ({ id: String(call.headers['x-github-delivery']), call }));
}

export function isTaken({ status = 500 }: Call): boolean {
  return status < 300;
}

/** Whether the run knows this delivery. */
export function knows({ spec, status }: GitHookRun, id: string): boolean {
  return spec.delivery?.id === id || status?.deliveries?.some((delivery) => delivery.id === id) === true;
}
