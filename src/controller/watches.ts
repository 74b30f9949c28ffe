// What the leader watches: the runs, and the resources of all kinds that were created for them. Made by the controller for
// each term, so that a new leader works from lists of its own time.
import type { GitHookRun } from '../api/githookrun.ts';
import { runLabel, runType } from '../api/keys.ts';
import { type KubeObject, withoutManagers } from '../api/object.ts';
import type { Clock } from '../clock.ts';
import type { KubeClient } from '../kube/client.ts';
import type { ResourceType } from '../kube/kube.ts';
import { Reflector, type Store } from '../kube/reflector.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { resourceKinds } from '../resource/registry.ts';
import { slim } from '../resource/slim.ts';
import { storeName } from './children.ts';
import { missingCrd, notListed } from './not-listed.ts';
import { typeOf } from './steps/child.ts';

export interface WatchDeps {
  readonly client: Pick<KubeClient, 'list' | 'watch'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** The only namespace to serve; empty is all. */
  readonly namespace: string;
}

/** What reflectors of our types have in common. `onError` is told why the last list or watch ended. */
export function watchOptions(deps: WatchDeps, onError: (type: ResourceType, error: unknown) => void) {
  const { client, clock, log, metrics, namespace } = deps;
  return {
    ...{ client, clock, log, transform: withoutManagers },
    ...(namespace && { namespace }),
    onRestart: (type: ResourceType, why: string, error: unknown) => {
      metrics.watchRestarts.inc({ resource: type.plural, why });
      onError(type, error);
      const problem = missingCrd(type, error);
      if (problem) log.error({ problem }, 'not ready');
    },
  };
}

/** A reflector, whatever it holds. */
type Watching = Pick<Reflector<KubeObject>, 'hasSynced' | 'run'>;

type OnChange<T> = (kind: string, object: T) => void;

export class Watches {
  readonly runs: Store<GitHookRun>;
  /** By storeName. */
  readonly children: ReadonlyMap<string, Store<KubeObject>>;
  readonly #reflectors: ReadonlyMap<ResourceType, Watching>;
  readonly #errors = new Map<ResourceType, unknown>();

  constructor(deps: WatchDeps, onChange: { readonly run: OnChange<GitHookRun>; readonly child: OnChange<KubeObject> }) {
    const watch = watchOptions(deps, (type, error) => this.#errors.set(type, error));
    const runs = new Reflector<GitHookRun>({
      ...{ ...watch, type: runType },
      onChange: ({ kind, object }) => onChange.run(kind, object),
    });
    const children = resourceKinds.map((kind) => {
      const reflector = new Reflector<KubeObject>({
        ...{ ...watch, type: typeOf(kind), labelSelector: runLabel },
        optional: kind.howToInstall !== undefined,
        transform: (child) => slim(child, kind),
        onChange: (change) => onChange.child(change.kind, change.object),
      });
      return { name: storeName(kind), type: typeOf(kind), reflector };
    });
    this.runs = runs;
    this.children = new Map(children.map(({ name, reflector }) => [name, reflector]));
    this.#reflectors = new Map<ResourceType, Watching>([
      [runType, runs],
      ...children.map(({ type, reflector }) => [type, reflector] as const),
    ]);
  }

  /** What has not been listed yet, each in words and with the reason. */
  waitingFor(): readonly string[] {
    const missing = [...this.#reflectors].filter(([, reflector]) => !reflector.hasSynced());
    return missing.map(([type]) => notListed(type, this.#errors.get(type)));
  }

  /** Until the signal aborts. Never throws. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#reflectors.values()].map((reflector) => reflector.run(signal)));
  }
}
