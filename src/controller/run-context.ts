// What spine 2 works with, made once by the controller.
import type { GitHook } from '../api/githook.ts';
import type { GitHookRun } from '../api/githookrun.ts';
import type { KubeObject } from '../api/object.ts';
import type { Standing } from '../api/phase.ts';
import type { Clock } from '../clock.ts';
import type { ManifestSource } from '../git/git.ts';
import type { Kube } from '../kube/kube.ts';
import type { Log } from '../log.ts';
import type { Observation, ResourceKind } from '../resource/resource.ts';
import type { Announcer } from './announce.ts';
import type { Children } from './children.ts';
import type { LimitedTurns } from './limited-turns.ts';
import type { Acting } from './permission.ts';
import type { RunStore } from './run-store.ts';
import type { Looks } from './steps/looks.ts';

/** A manifest made ready for a run. */
export interface Prepared {
  readonly kind: ResourceKind;
  readonly wanted: KubeObject;
}

export interface RunContext {
  readonly kube: Kube;
  readonly clock: Clock;
  readonly log: Log;
  readonly manifests: ManifestSource;
  readonly gitHooks: { get(key: string): GitHook | undefined };
  readonly children: Children;
  readonly runs: RunStore;
  /** The run as the watch shows it, where it was not written since; undefined where there is none. */
  readonly shown: (key: string) => GitHookRun | undefined;
  readonly announce: Announcer;
  readonly fetchTurns: LimitedTurns;
  /** The run's ServiceAccount. */
  actingFor(run: GitHookRun): Acting;
  /** The kind, by apiVersion and kind; throws TerminalError where it is not in the table. */
  kind(apiVersion: string, kind: string): ResourceKind;
  /** The text of a manifest as the object to create for this run; throws TerminalError. */
  parse(text: string, run: GitHookRun): Prepared;
  /** What was observed, with what the pods say where that helps. */
  explain(run: GitHookRun, seen: Observation, signal: AbortSignal): Promise<Standing>;
  /** When the pods of a run that does not start are looked at. */
  readonly looks: Looks;
}
