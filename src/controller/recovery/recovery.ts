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
import { RecoveryNotes } from './notes.ts';
import { Poller, type PollSettings } from './poller.ts';
import { type RecordPush, recover } from './recover.ts';
import { RefLists } from './ref-lists.ts';
import { spreadOf } from './schedule.ts';

export interface RecoveryDeps {
  readonly kube: Kube;
  readonly refs: RefSource;
  readonly record: RecordPush;
  readonly poll: PollSettings;
  readonly gitHooks: { get(key: string): GitHook | undefined; list(): readonly GitHook[] };
  readonly recorder: EventRecorder;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'recovered'>;
}

export interface RecoveryParts {
  /** Keys of GitHooks, each to be looked at when it comes out. */
  readonly queue: Queue;
  runsOf(gitHookUid: string): readonly GitHookRun[];
  actingFor(gitHook: GitHook): Kube;
  /** Has the status of the GitHook with this key written. */
  wakeGitHook(key: string): void;
}

/** The first looks of a term are spread over so long: a cluster with many GitHooks does not ask all forges at once. */
const firstLooksMs = 5_000;

export class Recovery {
  readonly notes: RecoveryNotes;
  readonly #poller: Poller;
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
  }

  /** To be called when a GitHook has changed: a new one, or one that says something else, is looked at now. */
  gitHookChanged(kind: string, gitHook: GitHook): void {
    const { uid = '', generation } = gitHook.metadata;
    if (kind === 'deleted') {
      this.#generations.delete(uid);
      this.#poller.forget(uid);
      this.notes.forget(uid);
      return;
    }
    if (this.#generations.has(uid) && this.#generations.get(uid) === generation) return;
    this.#generations.set(uid, generation);
    this.#queue.add(formatKey(keyOf(gitHook)));
  }

  /** To be called once, when the term begins. */
  start(): void {
    for (const gitHook of this.#deps.gitHooks.list()) {
      const { uid = '', generation } = gitHook.metadata;
      this.#generations.set(uid, generation);
      this.#queue.addAfter(formatKey(keyOf(gitHook)), spreadOf(`${gitHook.spec?.repository}`, firstLooksMs));
    }
  }

  /** One look for the GitHook with this key. Returns when to come back, in milliseconds. */
  look(key: string, signal: AbortSignal): Promise<number | undefined> {
    return this.#poller.look(key, signal);
  }
}
