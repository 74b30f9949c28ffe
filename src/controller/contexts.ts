// Makes what the three reconcilers work with out of the controller's parts.
import type { GitHook } from '../api/githook.ts';
import type { GitHookRun } from '../api/githookrun.ts';
import { gitHookKey } from '../api/keys.ts';
import type { KubeObject } from '../api/object.ts';
import type { Clock } from '../clock.ts';
import { TerminalError } from '../errors.ts';
import type { ManifestSource, RefSource } from '../git/git.ts';
import type { KubeClient } from '../kube/client.ts';
import { NotLeading } from '../kube/fenced.ts';
import type { Kube } from '../kube/kube.ts';
import type { EventRecorder } from '../kube/recorder.ts';
import type { Store } from '../kube/reflector.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { DeliveryLog } from '../notifier/delivery-log.ts';
import type { Notifier } from '../notifier/notifier.ts';
import { parseManifest } from '../resource/manifest.ts';
import { kindOf } from '../resource/registry.ts';
import type { ResourceKind } from '../resource/resource.ts';
import { createAnnouncer } from './announce.ts';
import type { Arrivals } from './by-hand/arrivals.ts';
import type { ByHandContext } from './by-hand/context.ts';
import { Children } from './children.ts';
import { AccountCheck } from './githook/account-check.ts';
import { contextTaken, type GitHookContext } from './githook/githook.ts';
import type { Problem } from './githook/githook-status.ts';
import { LimitedTurns } from './limited-turns.ts';
import { actingFor, type Installation } from './permission.ts';
import type { RecoveryNotes } from './recovery/notes.ts';
import type { RecoveryDeps } from './recovery/recovery.ts';
import type { RunContext } from './run-context.ts';
import type { RunIndex } from './run-index.ts';
import type { RunStore } from './run-store.ts';
import { Looks } from './steps/looks.ts';
import { explain } from './steps/pods.ts';
import { GoneRuns } from './telling/gone-runs.ts';
import type { OutdatedSinks } from './telling/outdated-sinks.ts';
import type { SinkKey } from './telling/sinks.ts';
import type { TellContext } from './telling/tell.ts';
import { Turns } from './turns.ts';

/** The entries of the notification file in use. */
export interface NotificationEntries {
  find(type: string, name: string): { readonly notifier: Notifier; readonly log?: DeliveryLog } | undefined;
  names(type: string): readonly string[];
  /** Why the file as it is now cannot be used; undefined when it can. */
  problem(): string | undefined;
}

export interface ControllerDeps extends Installation {
  /** For watching. */
  readonly client: Pick<KubeClient, 'list' | 'watch'>;
  /** For everything else; refuses to change anything once the lease is lost. */
  readonly kube: Kube;
  readonly gitHooks: Store<GitHook>;
  /** Whether this process leads at this moment; asked before each message. */
  readonly leads: () => boolean;
  readonly manifests: ManifestSource;
  readonly refs: RefSource & RecoveryDeps['refs'];
  /** Records a push as the receiver does. */
  readonly record: RecoveryDeps['record'];
  readonly parseLogged: RecoveryDeps['parseLogged'];
  readonly poll: RecoveryDeps['poll'];
  readonly notifications: NotificationEntries;
  readonly recorder: EventRecorder;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly statusContext: string;
}

/** Fetches from one server at a time: half of what git does at once, so that the rest is there for the others. */
const fetchesEach = 4;

/** Questions by hand to one server at a time: few are ever asked. */
const questionsEach = 2;

/** Messages to one entry of the notification file at a time: a small part of the workers, see controller.ts. */
const tellsEach = 8;

interface Parts {
  readonly children: ReadonlyMap<string, Store<KubeObject>>;
  readonly index: RunIndex;
  readonly runs: RunStore;
  /** The run with this key as the watch shows it. */
  watched(key: string): GitHookRun | undefined;
  readonly outdated: OutdatedSinks;
  readonly arrivals: Arrivals;
  /** Has what is asked by hand under this key looked at again. */
  wakeByHand(key: string): void;
  readonly recovery: RecoveryNotes;
  /** Has the sink of a run with this key looked at again. */
  wakeTell(key: string): void;
  /** Has the sinks that refused asked again, for all runs of this GitHook. */
  askAgain(gitHookUid: string): void;
  /** Has the run with this key looked at again. */
  wakeRun(key: string): void;
}

export interface Contexts {
  readonly run: RunContext;
  readonly tell: TellContext;
  readonly gitHook: GitHookContext;
  readonly byHand: ByHandContext;
  readonly gone: GoneRuns;
}

export function createContexts(deps: ControllerDeps, parts: Parts): Contexts {
  const { kube, gitHooks, clock, log, metrics, recorder, statusContext, notifications } = deps;
  const common = { kube, clock, log, gitHooks, runs: parts.runs };
  const as = (run: GitHookRun) => actingFor(run, kube, deps);
  const announce = createAnnouncer({ gitHooks, recorder, log, metrics });
  const looks = new Looks(clock);
  const gone = new GoneRuns({ clock, log, gitHooks, statusContext, index: parts.index, announce });
  return {
    gone,
    run: {
      ...common,
      manifests: deps.manifests,
      children: new Children(parts.children),
      shown: (key) => (parts.runs.isKnown(key) ? undefined : parts.watched(key)),
      fetchTurns: new LimitedTurns(fetchesEach, parts.wakeRun),
      announce,
      actingFor: as,
      kind: (apiVersion, kind) => kindOf({ apiVersion, kind }),
      parse: prepareManifest,
      explain: (run, seen, signal) => explain(run, seen, { kube: as(run).kube, looks }, signal),
      looks,
    },
    tell: {
      ...common,
      runs: liveOrGone(parts.runs, gone),
      turns: new Turns(),
      entryTurns: new LimitedTurns(tellsEach, parts.wakeTell),
      metrics,
      options: { statusContext, title: (apiVersion, kind) => kindOf({ apiVersion, kind }).title },
      notifier: (sink, run) => {
        if (!deps.leads()) throw new NotLeading();
        return notifierOf(sink, notifications, takenBy(run, sink, gitHooks, statusContext));
      },
      superseded: (run, sink) => sink.type === 'github' && parts.index.hasNewerWord(run, sink),
      outdated: parts.outdated,
      spokenOver: new Set(),
    },
    byHand: {
      ...{ ...common, recorder, refs: deps.refs, firstTries: new Map() },
      turns: new LimitedTurns(questionsEach, parts.wakeByHand),
      actingFor: (gitHook) => actingFor(gitHook, kube, deps),
    },
    gitHook: {
      ...{ ...common, recorder, arrivals: parts.arrivals },
      index: parts.index,
      askAgain: parts.askAgain,
      account: new AccountCheck({ kube, clock, installation: deps }),
      recovery: parts.recovery,
      statusContext,
      missingEntry: (sink) =>
        notifications.find(sink.type, sink.name) ? undefined : missingMessage(sink, notifications),
    },
  };
}

function prepareManifest(text: string, run: GitHookRun): { kind: ResourceKind; wanted: KubeObject } {
  const manifest = parseManifest(text);
  const kind = kindOf(manifest);
  return { kind, wanted: kind.render(manifest, run) };
}

/** The runs that are told of: by their keys the API server's, or those that it no longer has. */
function liveOrGone(live: RunStore, gone: GoneRuns): TellContext['runs'] {
  const holder = (key: string): TellContext['runs'] => (key.includes('@') ? gone : live);
  return {
    read: (key, signal) => holder(key).read(key, signal),
    update: (key, change, signal) => holder(key).update(key, change, signal),
  };
}

/** Why this sink is another GitHook's to speak to; undefined where it is not. */
function takenBy(run: GitHookRun, sink: SinkKey, gitHooks: Store<GitHook>, statusContext: string): Problem | undefined {
  const gitHook = sink.type === 'github' ? gitHooks.get(gitHookKey(run)) : undefined;
  return gitHook && contextTaken(gitHook, { gitHooks, statusContext });
}

function notifierOf(sink: SinkKey, entries: NotificationEntries, taken: Problem | undefined): Notifier {
  if (taken) throw new TerminalError(taken.reason, taken.message);
  const entry = entries.find(sink.type, sink.name);
  if (entry === undefined) throw new TerminalError('NotificationNotFound', missingMessage(sink, entries));
  return entry.notifier;
}

/** What to do about a sink that the notification file has no entry for. */
function missingMessage({ type, name }: SinkKey, entries: NotificationEntries): string {
  const known = entries.names(type).join(', ') || `none under ${type}:`;
  const problem = entries.problem();
  const why = problem === undefined ? '' : ` The file as it is now cannot be used: ${problem}.`;
  return `The notification file has no entry ${type}.${name} (it has ${known}).${why} Add it, or correct spec.notification.${type}.`;
}
