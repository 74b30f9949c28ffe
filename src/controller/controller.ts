// The loop around spine 2, for one term as the leader: watches feed keys into queues (runs, sinks, GitHooks, what is asked by
// hand, looks for lost pushes), workers reconcile them. Each term has a Controller of its own: what the watches list at its
// start is all it needs.
import type { GitHook } from '../api/githook.ts';
import type { GitHookRun } from '../api/githookrun.ts';
import { gitHookKey } from '../api/keys.ts';
import { formatKey, type KubeObject, keyOf } from '../api/object.ts';
import { isSettled } from '../api/phase.ts';
import { messageOf, WaitingError } from '../errors.ts';
import { Queue } from '../kube/queue.ts';
import { answer, gitHookAsks, runAsks } from './by-hand/answer.ts';
import { Arrivals } from './by-hand/arrivals.ts';
import { runKeyOf } from './children.ts';
import { type Contexts, type ControllerDeps, createContexts } from './contexts.ts';
import { contenders, reconcileGitHook } from './githook/githook.ts';
import type { LimitedTurns } from './limited-turns.ts';
import { actingFor } from './permission.ts';
import { Recovery } from './recovery/recovery.ts';
import { reconcileRun } from './run.ts';
import { RunIndex } from './run-index.ts';
import { isNewer, RunStore } from './run-store.ts';
import { OutdatedSinks } from './telling/outdated-sinks.ts';
import { type Outdated, plan } from './telling/sinks.ts';
import { tell, tellKey } from './telling/tell.ts';
import { Watches } from './watches.ts';

/** Runs and sinks advanced at a time: they mostly wait for the network, and git has a limit of its own. */
const runWorkers = 16;
const tellWorkers = 64;
const gitHookWorkers = 4;
const byHandWorkers = 8;
/** Looks at repositories for lost pushes. */
const lookWorkers = 8;

/** A GitHook's status is written at most about once in this time while its runs change. */
const gitHookDelayMs = 500;

/** Back-off of what failed: quick at first, at most a minute, so that an outage's end is noticed soon. */
const backOff = { baseDelayMs: 500, maxDelayMs: 60_000 };

export class Controller {
  readonly #deps: ControllerDeps;
  readonly #watches: Watches;
  readonly #index = new RunIndex();
  readonly #runQueue: Queue;
  readonly #tellQueue: Queue;
  readonly #gitHookQueue: Queue;
  readonly #byHandQueue: Queue;
  readonly #arrivals = new Arrivals();
  readonly #lookQueue: Queue;
  readonly #recovery: Recovery;
  readonly #store: RunStore;
  readonly #outdated = new OutdatedSinks();
  readonly #contexts: Contexts;

  constructor(deps: ControllerDeps) {
    this.#deps = deps;
    const { clock } = deps;
    this.#runQueue = new Queue({ ...backOff, clock });
    this.#tellQueue = new Queue({ ...backOff, clock });
    this.#gitHookQueue = new Queue({ ...backOff, clock });
    this.#byHandQueue = new Queue({ ...backOff, clock });
    this.#lookQueue = new Queue({ ...backOff, clock });
    this.#watches = new Watches(deps, {
      run: (kind, run) => this.#runChanged(kind, run),
      child: (kind, child) => this.#childChanged(kind, child),
    });
    const watched = (key: string): GitHookRun | undefined => this.#watches.runs.get(key);
    const isWatched = (key: string): boolean => watched(key) !== undefined;
    this.#store = new RunStore(deps.kube, (run, overtaken) => this.#wrote(run, overtaken), isWatched);
    this.#recovery = new Recovery(deps, {
      queue: this.#lookQueue,
      runsOf: (uid) => this.#index.of(uid),
      actingFor: (gitHook) => actingFor(gitHook, deps.kube, deps),
      wakeGitHook: (key) => this.#gitHookQueue.add(key),
    });
    this.#contexts = createContexts(deps, {
      children: this.#watches.children,
      index: this.#index,
      ...{ runs: this.#store, watched },
      wakeRun: (key) => this.#runQueue.add(key),
      wakeTell: (key) => this.#tellQueue.add(key),
      wakeByHand: (key) => this.#byHandQueue.add(key),
      ...{ outdated: this.#outdated, arrivals: this.#arrivals, recovery: this.#recovery.notes },
      askAgain: (uid) => {
        for (const run of this.#index.of(uid)) this.#queueSinks(run, 'refusal');
      },
    });
  }

  /** What has not been listed yet, each in words and with the reason; nothing once absence means absence. */
  waitingFor(): readonly string[] {
    return this.#watches.waitingFor();
  }

  /** To be called when the notification file has changed: whoever refused or was missing is asked again. */
  entriesChanged(): void {
    this.#recovery.entriesChanged();
    for (const run of this.#watches.runs.list()) this.#queueSinks(run, 'all');
    for (const [key, run] of this.#contexts.gone.list()) this.#queueSinks(run, 'all', key);
    for (const gitHook of this.#deps.gitHooks.list()) this.#gitHookQueue.add(formatKey(keyOf(gitHook)));
  }

  /** To be called when a GitHook has changed. One that comes, goes or says something else may take or free the context of another one. */
  gitHookChanged(kind: string, gitHook: GitHook): void {
    if (kind !== 'deleted') this.#look(gitHook, kind === 'added');
    else this.#gitHookQueue.add(formatKey(keyOf(gitHook)));
    this.#recovery.gitHookChanged(kind, gitHook);
    const { gitHooks } = this.#deps;
    const { metadata, status } = gitHook;
    const isOnlyStatus = kind === 'modified' && metadata.generation === status?.observedGeneration;
    if (isOnlyStatus || !gitHooks.hasSynced()) return; // in the first list each is looked at anyway
    for (const other of contenders(gitHook, gitHooks)) this.#gitHookQueue.add(formatKey(keyOf(other)));
  }

  /** Works until the signal is aborted, then ends what is under way at its next safe point. Never throws. */
  async run(signal: AbortSignal): Promise<void> {
    const { run, tell: telling, byHand, gitHook: looking } = this.#contexts;
    const watching = this.#watches.run(signal);
    for (const gitHook of this.#deps.gitHooks.list()) this.#look(gitHook, true);
    await this.#untilSynced(signal);
    this.#recovery.start();
    const work = (
      queue: Queue,
      name: string,
      workers: number,
      reconcile: (key: string) => Promise<number | undefined>,
      turns?: LimitedTurns,
    ): Promise<void> => {
      const handle = (key: string) => this.#handle(queue, name, key, reconcile).finally(() => turns?.pass(key));
      return queue.run({ workers, signal, handle });
    };
    await Promise.all([
      watching,
      work(this.#runQueue, 'run', runWorkers, (key) => reconcileRun(key, run, signal), run.fetchTurns),
      work(this.#tellQueue, 'tell', tellWorkers, (key) => tell(key, telling, signal), telling.entryTurns),
      work(this.#byHandQueue, 'by-hand', byHandWorkers, (key) => answer(key, byHand, signal), byHand.turns),
      work(this.#lookQueue, 'look', lookWorkers, (key) => this.#recovery.look(key, signal)),
      work(this.#gitHookQueue, 'githook', gitHookWorkers, (key) => reconcileGitHook(key, looking, signal)),
    ]);
  }

  async #untilSynced(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.waitingFor().length > 0) await this.#deps.clock.sleep(50, signal).catch(() => {});
  }

  #look(gitHook: GitHook, isFirst: boolean): void {
    if (isFirst) this.#arrivals.note(gitHook);
    else this.#arrivals.forget(gitHook);
    this.#gitHookQueue.add(formatKey(keyOf(gitHook)));
    const asks = gitHookAsks(gitHook);
    if (asks !== undefined) this.#byHandQueue.add(asks);
  }

  #runChanged(kind: string, run: GitHookRun): void {
    const key = formatKey(keyOf(run));
    this.#gitHookQueue.addAfter(gitHookKey(run), gitHookDelayMs);
    if (kind === 'deleted') {
      this.#runDeleted(key, run);
      return;
    }
    const isEcho = this.#store.isEcho(run);
    if (this.#index.newest(run) === run) this.#index.set(run); // of what was written here, too: one copy is enough
    const asks = runAsks(run);
    if (asks !== undefined) this.#byHandQueue.add(asks);
    const waiting = this.#queueSinks(run, kind === 'added' ? 'refusal' : 'nothing');
    const settled = isSettled(run);
    if (!isEcho && !settled) this.#runQueue.add(key);
    if (settled && !waiting) this.#store.forget(key);
  }

  #runDeleted(key: string, shown: GitHookRun): void {
    const run = this.#index.newest(shown);
    this.#index.remove(run);
    this.#store.forget(key);
    const left = this.#contexts.gone.add(run);
    if (left === undefined) return;
    this.#queueSinks(left.run, 'nothing', left.key);
    if (left.heir === undefined) return;
    const heirKey = tellKey(formatKey(keyOf(left.heir.run)), left.heir.sink);
    this.#contexts.tell.spokenOver.add(heirKey);
    this.#tellQueue.add(heirKey);
  }

  #wrote(run: GitHookRun, overtaken: boolean): void {
    const key = formatKey(keyOf(run));
    // Whoever looked when the watch showed it saw what was there before.
    if (overtaken) this.#runQueue.add(key);
    const watched = this.#watches.runs.get(key);
    // The answer to a write can come after the watch has told of the run's end: what is left to say then is said by its copy.
    if (watched === undefined || watched.metadata.uid !== run.metadata.uid) {
      this.#store.forget(key);
      return;
    }
    this.#index.set(run);
    const waiting = this.#queueSinks(run, 'nothing');
    const isShown = watched.metadata.resourceVersion === run.metadata.resourceVersion;
    if (isShown && isSettled(run) && !waiting) this.#store.forget(key);
    if (watched === undefined || !isNewer(watched, run)) return;
    // Somebody wrote after us and the watch was faster than our answer: such as an annotation, which would be overlooked.
    this.#store.forget(key);
    this.#runQueue.add(key);
  }

  #childChanged(kind: string, child: KubeObject): void {
    if (kind === 'deleted') this.#contexts.run.children.forget(child);
    const key = runKeyOf(child);
    // Before the first list of runs nobody knows which are settled; with it comes each that is not.
    if (key === undefined || !this.#watches.runs.hasSynced()) return;
    const run = this.#watches.runs.get(key);
    if (!(run && isSettled(run))) this.#runQueue.add(key);
  }

  /** Queues whoever has something to be told and returns whether there is any. */
  #queueSinks(run: GitHookRun, outdated: Outdated, runKey = formatKey(keyOf(run))): boolean {
    let waiting = false;
    for (const sink of run.status?.sinks ?? []) {
      const next = plan(sink, this.#deps.clock.now(), outdated);
      if (next.kind === 'done') continue;
      waiting = true;
      const key = tellKey(runKey, sink);
      this.#outdated.note(key, outdated);
      this.#tellQueue.addAfter(key, next.kind === 'wait' ? next.ms : 0);
    }
    return waiting;
  }

  async #handle(
    queue: Queue,
    name: string,
    key: string,
    reconcile: (key: string) => Promise<number | undefined>,
  ): Promise<void> {
    const { log, metrics } = this.#deps;
    metrics.queueLength.set({ queue: name }, queue.length);
    try {
      const again = await reconcile(key);
      queue.forget(key);
      if (again !== undefined) queue.addAfter(key, again);
    } catch (error) {
      if (error instanceof WaitingError)
        log.info({ [name]: key, reason: error.reason, error: error.message }, 'waiting');
      else {
        metrics.reconcileErrors.inc({ controller: name });
        log.warn({ [name]: key, error: messageOf(error) }, 'reconcile failed, trying again');
      }
      queue.addRateLimited(key, error instanceof WaitingError ? error.retryAfterMs : 0);
    }
  }
}
