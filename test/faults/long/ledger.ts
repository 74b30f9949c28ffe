// What an independent watch of runs and Jobs has seen from the beginning: every run and every child that there ever was.
import type { GitHookRun } from '../../../src/api/githookrun.ts';
import type { KubeObject } from '../../../src/api/object.ts';
import type { ApiServer } from '../../env/api.ts';
import type { Ender } from './ender.ts';
import { watchAll } from './watching.ts';

const runsPath = '/apis/kubegit.appspero.com/v1alpha1/githookruns';
const jobsPath = '/apis/batch/v1/jobs';

/** What is kept of a run. */
export interface SeenRun {
  /** namespace/name */
  readonly key: string;
  readonly uid: string;
  readonly commit: string;
  readonly phase: string;
  readonly reason: string;
  readonly job: string;
  /** Ended, told to everybody and handed back: nothing is left to do. */
  readonly isOver: boolean;
  readonly deleted: boolean;
}

export class Ledger {
  /** By UID, the last that was seen of each. */
  readonly runs = new Map<string, SeenRun>();
  /** UIDs of the runs that a commit ever had. */
  readonly byCommit = new Map<string, Set<string>>();
  /** UIDs of the Jobs that a run ever had, by the run's UID. */
  readonly children = new Map<string, Set<string>>();
  /** When each run was first seen here, by performance.now(). */
  readonly seenAt = new Map<string, number>();
  over = 0;
  ended = 0;

  async watch(api: ApiServer, ender: Ender, signal: AbortSignal): Promise<void> {
    await Promise.all([
      watchAll<GitHookRun>(api, runsPath, (run, deleted) => this.#seeRun(run, deleted), signal),
      watchAll<KubeObject>(api, jobsPath, (job) => this.#seeJob(job), signal),
      ender.watch(api, signal),
    ]);
  }

  addChild(runUid: string, childUid: string): void {
    add(this.children, runUid, childUid);
  }

  #seeRun(run: GitHookRun, deleted: boolean): void {
    const { uid = '', namespace, name } = run.metadata;
    const { status, spec } = run;
    const seen = {
      ...{ key: `${namespace}/${name}`, uid, commit: spec.commit, deleted },
      ...{ phase: status?.phase ?? '', reason: status?.reason ?? '', job: status?.resource?.name ?? '' },
      isOver: isOver(run),
    };
    const before = this.runs.get(uid);
    this.over += Number(seen.isOver) - Number(before?.isOver ?? false);
    this.ended += Number(hasEnded(seen)) - Number(before !== undefined && hasEnded(before));
    this.runs.set(uid, seen);
    if (before === undefined) this.seenAt.set(seen.key, performance.now());
    add(this.byCommit, spec.commit, uid);
  }

  #seeJob({ metadata }: KubeObject): void {
    this.addChild(metadata.ownerReferences?.[0]?.uid ?? '', metadata.uid ?? '');
  }
}

function hasEnded({ phase }: SeenRun): boolean {
  return ['Succeeded', 'Failed', 'Skipped'].includes(phase);
}

function isOver({ spec, status }: GitHookRun): boolean {
  const sinks = status?.sinks ?? [];
  const told =
    sinks.length === Object.keys(spec.notification ?? {}).length && sinks.every(({ told }) => told === status?.phase);
  return told && status?.handedBack === true;
}

function add(sets: Map<string, Set<string>>, key: string, value: string): void {
  const set = sets.get(key);
  if (set === undefined) sets.set(key, new Set([value]));
  else set.add(value);
}
