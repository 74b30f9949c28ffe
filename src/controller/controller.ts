// The loop around spine 2: watches feed keys into three queues (runs, sinks, GitHooks), workers reconcile them.
// Nothing is kept that a restart would lose: what the watches list at the start is all it needs.
import type { GitHook } from '../api/githook.ts';
import type { GitHookRun } from '../api/githookrun.ts';
import { gitHookKey, gitHookType, runLabel, runType } from '../api/keys.ts';
import { formatKey, type KubeObject, keyOf } from '../api/object.ts';
import { isEnded } from '../api/phase.ts';
import { messageOf, WaitingError } from '../errors.ts';
import type { ResourceType } from '../kube/kube.ts';
import { Queue } from '../kube/queue.ts';
import { Reflector } from '../kube/reflector.ts';
import { resourceKinds } from '../resource/registry.ts';
import { typeOf } from './child.ts';
import { runKeyOf } from './children.ts';
import { type Contexts, type ControllerDeps, createContexts } from './contexts.ts';
import { mayContend, reconcileGitHook } from './githook.ts';
import { missingCrd, notListed } from './not-listed.ts';
import { OutdatedSinks } from './outdated-sinks.ts';
import { reconcileRun } from './run.ts';
import { RunIndex } from './run-index.ts';
import { RunStore } from './run-store.ts';
import { type Outdated, plan } from './sinks.ts';
import { tell, tellKey } from './tell.ts';

/** Runs and sinks advanced at a time: they mostly wait for the network, and git has a limit of its own. */
const runWorkers = 16;
const tellWorkers = 64;
const gitHookWorkers = 4;

/** A GitHook's status is written at most about once in this time while its runs change. */
const gitHookDelayMs = 500;

/** Back-off of what failed: quick at first, at most a minute, so that an outage's end is noticed soon. */
const backOff = { baseDelayMs: 500, maxDelayMs: 60_000 };

export class Controller {
  /** The GitHooks, for whoever else needs them. */
  readonly gitHooks: Reflector<GitHook>;
  readonly #deps: ControllerDeps;
  readonly #runs: Reflector<GitHookRun>;
  readonly #children = new Map<string, Reflector<KubeObject>>();
  readonly #index = new RunIndex();
  readonly #runQueue: Queue;
  readonly #tellQueue: Queue;
  readonly #gitHookQueue: Queue;
  readonly #store: RunStore;
  /** By plural: why the last list or watch ended. */
  readonly #listErrors = new Map<string, unknown>();
  readonly #outdated = new OutdatedSinks();
  readonly #contexts: Contexts;

  constructor(deps: ControllerDeps) {
    this.#deps = deps;
    const { client, clock, log, metrics, namespace } = deps;
    const watch = {
      ...{ client, clock, log },
      ...(namespace && { namespace }),
      onRestart: (type: ResourceType, why: string, error: unknown) => {
        metrics.watchRestarts.inc({ resource: type.plural, why });
        this.#listErrors.set(type.plural, error);
        const problem = missingCrd(type, error);
        if (problem) log.error({ problem }, 'not ready');
      },
    };
    this.#runQueue = new Queue({ ...backOff, clock });
    this.#tellQueue = new Queue({ ...backOff, clock });
    this.#gitHookQueue = new Queue({ ...backOff, clock });
    this.gitHooks = new Reflector<GitHook>({
      ...watch,
      type: gitHookType,
      transform: slim,
      onChange: (change) => this.#gitHookChanged(change.kind, change.object),
    });
    this.#runs = new Reflector<GitHookRun>({
      ...watch,
      type: runType,
      transform: slim,
      onChange: (change) => this.#runChanged(change.kind, change.object),
    });
    for (const kind of resourceKinds) {
      const onChange = (change: { kind: string; object: KubeObject }): void =>
        this.#childChanged(change.kind, change.object);
      const reflector = new Reflector<KubeObject>({
        ...watch,
        type: typeOf(kind),
        optional: kind.howToInstall !== undefined,
        labelSelector: runLabel,
        transform: slim,
        onChange,
      });
      this.#children.set(storeName(kind), reflector);
    }
    this.#store = new RunStore(client, (run) => this.#wrote(run));
    this.#contexts = createContexts(deps, {
      gitHooks: this.gitHooks,
      children: this.#children,
      index: this.#index,
      runs: this.#store,
      wakeRun: (key) => this.#runQueue.add(key),
      wakeTell: (key) => this.#tellQueue.add(key),
      outdated: this.#outdated,
      askAgain: (uid) => {
        for (const run of this.#index.of(uid)) this.#queueSinks(run, 'refusal');
      },
    });
  }

  /** Whether everything has been listed, so that absence means absence. */
  hasSynced(): boolean {
    return this.waitingFor().length === 0;
  }

  /** What has not been listed yet, each in words and with the reason. */
  waitingFor(): readonly string[] {
    const kinds = resourceKinds.map((kind) => [typeOf(kind), this.#children.get(storeName(kind))] as const);
    const lists = [[gitHookType, this.gitHooks] as const, [runType, this.#runs] as const, ...kinds];
    const missing = lists.filter(([, reflector]) => reflector?.hasSynced() === false);
    return missing.map(([type]) => notListed(type, this.#listErrors.get(type.plural)));
  }

  /** To be called when the notification file has changed: whoever refused or was missing is asked again. */
  entriesChanged(): void {
    for (const run of this.#runs.list()) this.#queueSinks(run, 'all');
    for (const gitHook of this.gitHooks.list()) this.#gitHookQueue.add(formatKey(keyOf(gitHook)));
  }

  /** Works until the signal is aborted, then ends what is under way at its next safe point. Never throws. */
  async run(signal: AbortSignal): Promise<void> {
    const contexts = this.#contexts;
    const reflectors = [this.gitHooks, this.#runs, ...this.#children.values()].map((reflector) =>
      reflector.run(signal),
    );
    await this.#untilSynced(signal);
    const work = (
      queue: Queue,
      name: string,
      workers: number,
      reconcile: (key: string) => Promise<number | undefined>,
    ): Promise<void> => queue.run({ workers, signal, handle: (key) => this.#handle(queue, name, key, reconcile) });
    await Promise.all([
      ...reflectors,
      work(this.#runQueue, 'run', runWorkers, (key) => reconcileRun(key, contexts.run, signal)),
      work(this.#tellQueue, 'tell', tellWorkers, (key) => tell(key, contexts.tell, signal)),
      work(this.#gitHookQueue, 'githook', gitHookWorkers, (key) => reconcileGitHook(key, contexts.gitHook, signal)),
    ]);
  }

  async #untilSynced(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !this.hasSynced()) await this.#deps.clock.sleep(50, signal).catch(() => {});
  }

  /** A GitHook that comes, goes or says something else may take or free the context of another one. */
  #gitHookChanged(kind: string, gitHook: GitHook): void {
    this.#gitHookQueue.add(formatKey(keyOf(gitHook)));
    const { metadata, status } = gitHook;
    const isOnlyStatus = kind === 'modified' && metadata.generation === status?.observedGeneration;
    if (isOnlyStatus || !this.gitHooks.hasSynced()) return; // in the first list each is looked at anyway
    for (const other of this.gitHooks.list()) {
      if (mayContend(gitHook, other)) this.#gitHookQueue.add(formatKey(keyOf(other)));
    }
  }

  #runChanged(kind: string, run: GitHookRun): void {
    const key = formatKey(keyOf(run));
    this.#gitHookQueue.addAfter(gitHookKey(run), gitHookDelayMs);
    if (kind === 'deleted') {
      this.#index.remove(run);
      this.#store.forget(key);
      return;
    }
    const isEcho = this.#store.isEcho(run);
    if (!isEcho) this.#index.set(run);
    const waiting = this.#queueSinks(run, kind === 'added' ? 'refusal' : 'nothing');
    const settled = isSettled(run);
    if (!isEcho && !settled) this.#runQueue.add(key);
    if (settled && !waiting) this.#store.forget(key);
  }

  #wrote(run: GitHookRun): void {
    const key = formatKey(keyOf(run));
    const watched = this.#runs.get(key);
    // The answer to a write can come after the watch has told of the run's end.
    if (watched !== undefined) this.#index.set(slim(run));
    const waiting = this.#queueSinks(run, 'nothing');
    const isShown = watched?.metadata.resourceVersion === run.metadata.resourceVersion;
    if (isShown && isSettled(run) && !waiting) this.#store.forget(key);
  }

  #childChanged(kind: string, child: KubeObject): void {
    if (kind === 'deleted') this.#contexts.run.children.forget(child);
    const key = runKeyOf(child);
    const run = key === undefined ? undefined : this.#runs.get(key);
    if (key !== undefined && !(run && isSettled(run))) this.#runQueue.add(key);
  }

  /** Queues whoever has something to be told and returns whether there is any. */
  #queueSinks(run: GitHookRun, outdated: Outdated): boolean {
    let waiting = false;
    for (const sink of run.status?.sinks ?? []) {
      const next = plan(sink, this.#deps.clock.now(), outdated);
      if (next.kind === 'done') continue;
      waiting = true;
      const key = tellKey(keyOf(run), sink);
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

function storeName({ apiVersion, kind }: { readonly apiVersion: string; readonly kind: string }): string {
  return `${apiVersion} ${kind}`;
}

/** Whether nothing is left to do for the run itself; its sinks are another matter. */
function isSettled(run: GitHookRun): boolean {
  return isEnded(run) && (run.status?.resource?.uid === undefined || run.status.handedBack === true);
}

/** Without the bookkeeping of server-side apply, which nothing here reads and which is often half of an object. */
function slim<T extends { readonly metadata: object }>(object: T): T {
  return { ...object, metadata: { ...object.metadata, managedFields: undefined } };
}
