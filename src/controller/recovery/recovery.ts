// The search for pushes that never arrived, for one term as the leader: made by the controller, which feeds it the GitHooks.
// It only ever adds runs, by the rules by which the receiver does, so that a push found twice still runs once.
import type { GitHook } from '../../api/githook.ts';
import type { GitHookRun } from '../../api/githookrun.ts';
import { formatKey, keyOf } from '../../api/object.ts';
import type { Clock } from '../../clock.ts';
import type { RefSource } from '../../git/git.ts';
import type { Kube } from '../../kube/kube.ts';
import type { Queue } from '../../kube/queue.ts';
import type { EventRecorder } from '../../kube/recorder.ts';
import type { Log } from '../../log.ts';
import type { Metrics } from '../../metrics.ts';
import type { DeliveryLog } from '../../notifier/delivery-log.ts';
import type { Acting } from '../permission.ts';
import { entryOf, isLogKey, LogMembers } from './log-members.ts';
import { LogReader, type LogReaderDeps } from './log-reader.ts';
import { RecoveryNotes } from './notes.ts';
import { Poller, type PollSettings } from './poller.ts';
import { type RecordPush, recover, recoverLogged } from './recover.ts';
import { RefLists } from './ref-lists.ts';
import { spreadOf } from './schedule.ts';

export interface RecoveryDeps {
  readonly kube: Kube;
  readonly refs: RefSource;
  readonly record: RecordPush;
  /** What a delivery in a forge's log says; see LogReader. */
  readonly parseLogged: LogReaderDeps['parse'];
  readonly notifications: { find(type: string, name: string): { readonly log?: DeliveryLog } | undefined };
  readonly poll: PollSettings;
  readonly gitHooks: { get(key: string): GitHook | undefined; list(): readonly GitHook[] };
  readonly recorder: EventRecorder;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'recovered'>;
}

export interface RecoveryParts {
  /** Keys of GitHooks, whose repositories are to be looked at, and of logs of deliveries, which are to be read. */
  readonly queue: Queue;
  runsOf(gitHookUid: string): readonly GitHookRun[];
  actingFor(gitHook: GitHook): Acting;
  /** Has the status of the GitHook with this key written. */
  wakeGitHook(key: string): void;
}

/** The first looks of a term are spread over so long: a cluster with many GitHooks does not ask all forges at once. */
const firstLooksMs = 5_000;

export class Recovery {
  readonly notes: RecoveryNotes;
  readonly #poller: Poller;
  readonly #logs: LogReader;
  readonly #members = new LogMembers();
  readonly #deps: RecoveryDeps;
  readonly #queue: Queue;
  /** By UID, of the GitHooks that have been seen. */
  readonly #generations = new Map<string, number | undefined>();

  constructor(deps: RecoveryDeps, { queue, runsOf, actingFor, wakeGitHook }: RecoveryParts) {
    const { refs, clock, gitHooks, poll } = deps;
    this.#deps = deps;
    this.#queue = queue;
    this.notes = new RecoveryNotes(wakeGitHook);
    this.#poller = new Poller({
      ...{ clock, gitHooks, runsOf, actingFor, notes: this.notes, settings: poll, lists: new RefLists(refs, clock) },
      wake: (key) => queue.add(key),
      recover: (found, signal) => recover(found, deps, signal),
    });
    this.#logs = new LogReader({
      ...{ clock, notes: this.notes, parse: deps.parseLogged },
      logOf: (entry) => deps.notifications.find('github', entry)?.log,
      recover: (logged, signal) => recoverLogged(logged, deps, signal),
    });
  }

  /** To be called when a GitHook has changed: a new one, or one that says something else, is looked at now. */
  gitHookChanged(kind: string, gitHook: GitHook): void {
    const { uid = '', generation } = gitHook.metadata;
    if (kind === 'deleted') {
      this.#generations.delete(uid);
      this.#poller.forget(uid);
      this.#members.remove(gitHook);
      this.notes.forget(uid);
      return;
    }
    if (this.#generations.has(uid) && this.#generations.get(uid) === generation) return;
    this.#take(gitHook, 0);
  }

  /** To be called once, when the term begins. */
  start(): void {
    for (const gitHook of this.#deps.gitHooks.list()) {
      this.#take(gitHook, spreadOf(`${gitHook.spec?.repository}`, firstLooksMs));
    }
  }

  /** To be called when the notification file has changed: what could not be read perhaps can now. */
  entriesChanged(): void {
    for (const key of this.#members.keys()) this.#queue.add(key);
  }

  /** One look for the GitHook with this key, or one reading of the log with it. Returns when to come back, in milliseconds. */
  async look(key: string, signal: AbortSignal): Promise<number | undefined> {
    if (!isLogKey(key)) return this.#poller.look(key, signal);
    const members = this.#members.of(key).flatMap((name) => this.#deps.gitHooks.get(name) ?? []);
    return this.#logs.read(key, { entry: entryOf(key), members }, signal);
  }

  #take(gitHook: GitHook, inMs: number): void {
    const { uid = '', generation } = gitHook.metadata;
    this.#generations.set(uid, generation);
    this.#queue.addAfter(formatKey(keyOf(gitHook)), inMs);
    const logKey = this.#members.set(gitHook);
    if (logKey !== undefined) this.#queue.addAfter(logKey, inMs);
    else this.notes.note(gitHook, { source: 'DeliveryLog', off: true });
  }
}
