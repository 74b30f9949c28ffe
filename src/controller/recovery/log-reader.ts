// Finds pushes whose deliveries failed in the forge's own log of them. One reading a call, for all GitHooks of a repository
// that name the same entry of the notification file; the queue says when.
import type { GitHook } from '../../api/githook.ts';
import { keptWindowMs } from '../../api/identity.ts';
import { matchesRef } from '../../api/ref-pattern.ts';
import { canonicalRepository } from '../../api/repository.ts';
import type { Clock } from '../../clock.ts';
import { messageOf, TerminalError, WaitingError } from '../../errors.ts';
import type { DeliveryLog, LoggedAttempt, LoggedDelivery } from '../../notifier/delivery-log.ts';
import { failedDeliveries, sinceOf } from './failed-deliveries.ts';
import type { RecoveryNotes } from './notes.ts';
import type { PushInLog, Recovered } from './recover.ts';

export interface LogReaderDeps {
  readonly notes: Pick<RecoveryNotes, 'note' | 'of'>;
  readonly clock: Clock;
  /** The log that an entry under github: leads to; undefined where there is no such entry, or its forge keeps none. */
  logOf(entry: string): DeliveryLog | undefined;
  /** What a logged delivery says; undefined where it is no push that could be run. */
  parse(delivery: LoggedDelivery): PushInLog | undefined;
  /** Does what is to be done about a push that was found, for one GitHook. Throws what is to be tried again. */
  recover(
    found: PushInLog & { readonly gitHook: GitHook; readonly statusCode: number },
    signal: AbortSignal,
  ): Promise<Recovered>;
}

/** The path that webhooks of GitHub send to, at whatever host kube-git is reached. */
const webhookPath = '/github';
/** How often a log is read, and how often it is tried where it may not be. */
const readMs = 5 * 60_000;
const refusedMs = 60 * 60_000;
/** The webhooks of a repository seldom change. */
const hooksMs = 60 * 60_000;

/** What is remembered of one repository's log, for one term. */
interface Memory {
  /** Deliveries that were dealt with; read again where the log is read from before their time. */
  readonly done: Map<string, number>;
  hooks?: { readonly ids: readonly string[]; readonly untilMs: number };
}

/** One reading. */
interface Reading {
  readonly log: DeliveryLog;
  readonly members: readonly GitHook[];
  readonly memory: Memory;
  readonly signal: AbortSignal;
}

interface FailedDelivery {
  readonly hookId: string;
  readonly failed: LoggedAttempt;
}

/** What a reading has come to so far. */
interface Result {
  readonly found: Map<GitHook, number>;
  /** Why a delivery could not be dealt with. */
  problem: string | undefined;
}

export class LogReader {
  readonly #deps: LogReaderDeps;
  readonly #memories = new Map<string, Memory>();

  constructor(deps: LogReaderDeps) {
    this.#deps = deps;
  }

  /** Reads what is new. `key` names entry and repository, `members` are its GitHooks. Returns when to come back, in milliseconds. */
  async read(
    key: string,
    { entry, members }: { readonly entry: string; readonly members: readonly GitHook[] },
    signal: AbortSignal,
  ): Promise<number | undefined> {
    const log = this.#deps.logOf(entry);
    if (log === undefined || members.length === 0) {
      this.#memories.delete(key);
      for (const gitHook of members) this.#deps.notes.note(gitHook, { source: 'DeliveryLog', off: true });
      return undefined;
    }
    const memory = this.#memories.get(key) ?? { done: new Map() };
    this.#memories.set(key, memory);
    try {
      await this.#readNow({ log, members: this.#allowed(log, members), memory, signal });
      return readMs;
    } catch (error) {
      if (signal.aborted || !(error instanceof TerminalError || error instanceof WaitingError)) throw error;
      this.#noteError(members, `${error.reason}: ${error.message}`);
      if (error instanceof TerminalError) return refusedMs;
      return Math.max(readMs, error.retryAfterMs ?? 0);
    }
  }

  #noteError(gitHooks: readonly GitHook[], error: string): void {
    for (const gitHook of gitHooks) this.#deps.notes.note(gitHook, { source: 'DeliveryLog', error });
  }

  /** Those that the entry is for; the others are told why they are not among them. */
  #allowed(log: DeliveryLog, members: readonly GitHook[]): readonly GitHook[] {
    return members.filter((gitHook) => {
      try {
        log.check(placeOf(gitHook));
        return true;
      } catch (error) {
        this.#noteError([gitHook], messageOf(error));
        return false;
      }
    });
  }

  async #readNow(reading: Reading): Promise<void> {
    const { members, memory } = reading;
    const [first] = members;
    if (first === undefined) return;
    const startedMs = this.#deps.clock.now();
    const since = new Map(members.map((gitHook) => [gitHook, this.#sinceOf(gitHook, startedMs)]));
    const sinceMs = Math.min(...since.values());
    const result: Result = { found: new Map(), problem: undefined };
    for (const hookId of await this.#hooksOf(first, reading)) {
      const attempts = await reading.log.attempts(placeOf(first), { id: hookId, sinceMs }, reading.signal);
      for (const failed of failedDeliveries(attempts, memory.done)) {
        const wanting = members.filter((gitHook) => failed.deliveredMs >= (since.get(gitHook) ?? 0));
        await this.#tryRecover({ ...reading, members: wanting }, { hookId, failed }, result);
      }
    }
    for (const [guid, ms] of memory.done) if (ms < sinceMs) memory.done.delete(guid);
    this.#note(members, result, startedMs);
  }

  /** The cursor moves only when everything up to it was dealt with. */
  #note(members: readonly GitHook[], { found, problem }: Result, startedMs: number): void {
    const { clock, notes } = this.#deps;
    const cursor = new Date(startedMs).toISOString();
    for (const gitHook of members) {
      const count = found.get(gitHook) ?? 0;
      const went = problem === undefined ? { workedMs: clock.now(), cursor } : { error: problem };
      const counted = count > 0 ? { found: count, foundMs: startedMs } : {};
      notes.note(gitHook, { source: 'DeliveryLog', ...went, ...counted });
    }
  }

  /** A delivery that cannot be dealt with does not hold up the others; a forge that wants to be left alone does. */
  async #tryRecover(reading: Reading, delivery: FailedDelivery, result: Result): Promise<void> {
    try {
      await this.#recover(reading, delivery, result.found);
      reading.memory.done.set(delivery.failed.guid, delivery.failed.deliveredMs);
    } catch (error) {
      if (reading.signal.aborted || error instanceof WaitingError) throw error;
      result.problem = `the delivery ${delivery.failed.guid} failed and could not be made up for: ${messageOf(error)}`;
    }
  }

  #sinceOf(gitHook: GitHook, nowMs: number): number {
    const { uid = '' } = gitHook.metadata;
    const isLog = ({ source }: { readonly source: string }): boolean => source === 'DeliveryLog';
    const cursor = this.#deps.notes.of(uid).find(isLog)?.cursor ?? gitHook.status?.recovery?.find(isLog)?.cursor;
    return sinceOf({ cursor, createdTime: gitHook.metadata.creationTimestamp }, nowMs);
  }

  async #hooksOf(gitHook: GitHook, { log, memory, signal }: Reading): Promise<readonly string[]> {
    const nowMs = this.#deps.clock.monotonic();
    if (memory.hooks && memory.hooks.untilMs > nowMs) return memory.hooks.ids;
    const ids = await log.hooks(placeOf(gitHook), webhookPath, signal);
    // Where there is none yet, one may be on its way.
    memory.hooks = { ids, untilMs: nowMs + (ids.length > 0 ? hooksMs : 0) };
    return ids;
  }

  /** Records a delivery's push for each GitHook that wants it. */
  async #recover(
    { log, members, signal }: Reading,
    { hookId, failed }: FailedDelivery,
    found: Map<GitHook, number>,
  ): Promise<void> {
    const [first] = members;
    if (first === undefined) return;
    const logged = await log.read(placeOf(first), { hookId, id: failed.id }, signal);
    // What the log says of the delivery counts: its headers are only those that were sent.
    const known = { 'x-github-delivery': failed.guid, 'x-github-hook-id': hookId, 'x-github-event': failed.event };
    const inLog = this.#deps.parse({ ...logged, headers: { ...logged.headers, ...known } });
    if (inLog === undefined || !isOf(first, inLog) || this.#isStale(inLog)) return;
    for (const gitHook of members) {
      if (!matchesRef(gitHook.spec.branches, inLog.push.ref)) continue;
      const became = await this.#deps.recover({ ...inLog, gitHook, statusCode: failed.statusCode }, signal);
      if (became === 'recovered') found.set(gitHook, (found.get(gitHook) ?? 0) + 1);
    }
  }

  #isStale({ push }: PushInLog): boolean {
    return push.pushTime !== undefined && this.#deps.clock.now() - Date.parse(push.pushTime) > keptWindowMs;
  }
}

/** An entry speaks of the repository that was asked about, whatever its server puts into a payload. */
function isOf({ spec }: GitHook, { push }: PushInLog): boolean {
  const repository = canonicalRepository(spec.repository);
  return push.cloneUrls.some((url) => canonicalRepository(url) === repository);
}

function placeOf(gitHook: GitHook): { readonly repository: string; readonly namespace: string } {
  return { repository: gitHook.spec.repository, namespace: gitHook.metadata.namespace ?? '' };
}
