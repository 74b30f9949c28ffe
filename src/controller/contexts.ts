// Makes what the three reconcilers work with out of the controller's parts.
import type { GitHook } from '../api/githook.ts';
import type { GitHookRun } from '../api/githookrun.ts';
import type { KubeObject } from '../api/object.ts';
import type { Clock } from '../clock.ts';
import { TerminalError } from '../errors.ts';
import type { ManifestSource } from '../git/git.ts';
import type { KubeClient } from '../kube/client.ts';
import type { EventRecorder } from '../kube/recorder.ts';
import type { Store } from '../kube/reflector.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { Notifier } from '../notifier/notifier.ts';
import { parseManifest } from '../resource/manifest.ts';
import { kindOf } from '../resource/registry.ts';
import type { ResourceKind } from '../resource/resource.ts';
import { createAnnouncer } from './announce.ts';
import { Children } from './children.ts';
import { type GitHookContext, missingMessage } from './githook.ts';
import { actingFor } from './permission.ts';
import { explain, lookAgainMs } from './pods.ts';
import type { RunContext } from './run-context.ts';
import type { RunIndex } from './run-index.ts';
import type { RunStore } from './run-store.ts';
import type { SinkKey } from './sinks.ts';
import type { TellContext } from './tell.ts';

/** The entries of the notification file in use. */
export interface NotificationEntries {
  find(type: string, name: string): { readonly notifier: Notifier } | undefined;
  names(type: string): readonly string[];
}

export interface ControllerDeps {
  readonly client: KubeClient;
  readonly manifests: ManifestSource;
  readonly notifications: NotificationEntries;
  readonly recorder: EventRecorder;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** The only namespace to serve; empty is all. */
  readonly namespace: string;
  readonly defaultServiceAccount: string;
  readonly statusContext: string;
}

interface Parts {
  readonly gitHooks: Store<GitHook>;
  readonly children: ReadonlyMap<string, Store<KubeObject>>;
  readonly index: RunIndex;
  readonly runs: RunStore;
  mayAskAgain(key: string): boolean;
}

export interface Contexts {
  readonly run: RunContext;
  readonly tell: TellContext;
  readonly gitHook: GitHookContext;
}

export function createContexts(deps: ControllerDeps, parts: Parts): Contexts {
  const { client: kube, clock, log, metrics, recorder, statusContext, notifications } = deps;
  const common = { kube, clock, log, gitHooks: parts.gitHooks, runs: parts.runs };
  const as = (run: GitHookRun) => actingFor(run, kube, deps.defaultServiceAccount);
  return {
    run: {
      ...common,
      manifests: deps.manifests,
      children: new Children(parts.children),
      announce: createAnnouncer({ gitHooks: parts.gitHooks, recorder, log, metrics }),
      actingFor: as,
      kind: (apiVersion, kind) => kindOf({ apiVersion, kind }),
      parse: prepareManifest,
      explain: (run, seen, signal) => explain(run, seen, { kube: as(run), clock }, signal),
      lookAgainMs: (run) => lookAgainMs(run, clock),
    },
    tell: {
      ...common,
      metrics,
      options: { statusContext, title: (apiVersion, kind) => kindOf({ apiVersion, kind }).title },
      notifier: (sink) => notifierOf(sink, notifications),
      superseded: (run, sink) => sink.type === 'github' && parts.index.hasNewerWord(run, sink),
      mayAskAgain: parts.mayAskAgain,
    },
    gitHook: {
      ...common,
      index: parts.index,
      statusContext,
      missingEntry: ({ type, name }) =>
        notifications.find(type, name) ? undefined : { known: notifications.names(type) },
    },
  };
}

function prepareManifest(text: string, run: GitHookRun): { kind: ResourceKind; wanted: KubeObject } {
  const manifest = parseManifest(text);
  const kind = kindOf(manifest);
  return { kind, wanted: kind.render(manifest, run) };
}

function notifierOf(sink: SinkKey, entries: NotificationEntries): Notifier {
  const entry = entries.find(sink.type, sink.name);
  if (entry === undefined)
    throw new TerminalError('NotificationNotFound', missingMessage(sink, entries.names(sink.type)));
  return entry.notifier;
}
