// Finds pushes that no webhook told of by comparing a repository's refs with what they were. One look a call; the queue
// says when. The pure rules are in look.ts and baseline.ts, what is done about a lost push is in recover.ts.
import { isDeepStrictEqual } from 'node:util';
import type { GitHook } from '../../api/githook.ts';
import type { GitHookRun } from '../../api/githookrun.ts';
import { covers, keptWindowMs } from '../../api/identity.ts';
import { matchesRef } from '../../api/ref-pattern.ts';
import { canonicalRepository } from '../../api/repository.ts';
import type { Clock } from '../../clock.ts';
import { messageOf, TerminalError, WaitingError } from '../../errors.ts';
import { readCredentials } from '../credentials.ts';
import { LimitedTurns } from '../limited-turns.ts';
import type { Acting } from '../permission.ts';
import { serverOf } from '../steps/prepare.ts';
import type { Baseline } from './baseline.ts';
import { readBaseline, type Stored, writeBaseline } from './baseline-store.ts';
import { baselineAfter, look, type Memory, type Sighting } from './look.ts';
import type { RecoveryNotes } from './notes.ts';
import type { Found, Recovered } from './recover.ts';
import type { RefLists, TimedList } from './ref-lists.ts';
import { intervalOf, untilNext } from './schedule.ts';

export interface PollSettings {
  /** Of GitHooks that do not say how often; 0 is never. */
  readonly intervalMs: number;
  /** How long webhooks have to tell of a push themselves. */
  readonly settleMs: number;
}

export interface PollerDeps {
  readonly settings: PollSettings;
  readonly lists: RefLists;
  readonly notes: Pick<RecoveryNotes, 'note'>;
  readonly clock: Clock;
  readonly gitHooks: { get(key: string): GitHook | undefined };
  /** The runs of the GitHook with this UID, as far as is known here. */
  runsOf(uid: string): readonly GitHookRun[];
  actingFor(gitHook: GitHook): Acting;
  /** Has the GitHook with this key looked at again. */
  wake(key: string): void;
  /** Does what is to be done about a lost push. Throws what is to be tried again. */
  recover(found: Found, signal: AbortSignal): Promise<Recovered>;
}

/** Looks at repositories of one server at a time: a part of what git does at once, so that one that hangs leaves room. */
const looksEach = 3;
/** So many pushes are recorded in one look; more are in the next, at once. */
const mostAtOnce = 50;
/** A list of refs that is shared can be a little too old for what has just become due. */
const soonestMs = 1_000;
/** So often is a baseline written that has nothing new but its time, which tells a lost push from an earlier one of the same commit. */
const renewMs = 60 * 60_000;

/** A GitHook, its account, and what is stored for it. */
interface Place {
  readonly gitHook: GitHook;
  readonly acting: Acting;
  readonly stored: Stored;
}

/** What a look came to. */
interface Outcome {
  /** What is still open. */
  readonly open: readonly Sighting[];
  /** How many pushes were lost and now have their runs. */
  readonly found: number;
  /** Why one of them could not be recovered: it stays open. */
  readonly error?: string;
  /** More was due than is done in one look. */
  readonly more?: boolean;
}

export class Poller {
  readonly #deps: PollerDeps;
  readonly #turns: LimitedTurns;
  /** By the GitHook's UID. */
  readonly #memories = new Map<string, Memory & { readonly repository: string }>();

  constructor(deps: PollerDeps) {
    this.#deps = deps;
    this.#turns = new LimitedTurns(looksEach, (key) => deps.wake(key));
  }

  /** To be called when the GitHook with this UID is gone. */
  forget(uid: string): void {
    this.#memories.delete(uid);
  }

  /** One look at the GitHook's repository. Returns when to come back, in milliseconds; throws what is to be tried again sooner. */
  async look(key: string, signal: AbortSignal): Promise<number | undefined> {
    const { gitHooks, settings, notes } = this.#deps;
    const gitHook = gitHooks.get(key);
    if (gitHook === undefined || gitHook.metadata.deletionTimestamp !== undefined || !isWhole(gitHook))
      return undefined;
    const intervalMs = intervalOf(gitHook, settings.intervalMs);
    if (intervalMs === 0) {
      notes.note(gitHook, { source: 'Poll', off: true });
      return undefined;
    }
    return this.#turns.take({ server: serverOf(gitHook.spec.repository) }, key, () =>
      this.#tryLook(gitHook, intervalMs, signal),
    );
  }

  async #tryLook(gitHook: GitHook, intervalMs: number, signal: AbortSignal): Promise<number> {
    const { clock, notes } = this.#deps;
    const next = (): number => untilNext(gitHook.spec.repository, intervalMs, clock.now());
    try {
      const outcome = await this.#lookNow(gitHook, signal);
      const { found, error } = outcome;
      const went = error === undefined ? { workedMs: clock.now() } : { error };
      notes.note(gitHook, { source: 'Poll', ...went, found, ...(found > 0 && { foundMs: clock.now() }) });
      return Math.min(next(), this.#dueIn(outcome));
    } catch (error) {
      if (signal.aborted || !(error instanceof TerminalError || error instanceof WaitingError)) throw error;
      notes.note(gitHook, { source: 'Poll', error: `${error.reason}: ${error.message}` });
      return Math.max(next(), error instanceof WaitingError ? (error.retryAfterMs ?? 0) : 0);
    }
  }

  /** When something that is open counts as lost, in milliseconds. What could not be recovered waits for the next look. */
  #dueIn({ open, more, error }: Outcome): number {
    if (error !== undefined) return Number.POSITIVE_INFINITY;
    if (more) return 0;
    const { clock, settings } = this.#deps;
    return Math.max(
      soonestMs,
      Math.min(...open.map(({ firstSeenMs }) => firstSeenMs + settings.settleMs - clock.now())),
    );
  }

  async #lookNow(gitHook: GitHook, signal: AbortSignal): Promise<Outcome> {
    const { lists, clock, actingFor } = this.#deps;
    const acting = actingFor(gitHook);
    const credentials = await readCredentials(gitHook, acting, signal);
    const stored = await readBaseline(gitHook, acting, signal);
    const { baseline } = stored;
    // What a list from before a change of the patterns does not show would be wanted by the new ones.
    const fresh = baseline === undefined || !isDeepStrictEqual(baseline.branches, gitHook.spec.branches);
    const list = await lists.list({ url: gitHook.spec.repository, credentials, fresh }, signal);
    const place = { gitHook, acting, stored };
    if (baseline === undefined || !isUsable(baseline, gitHook, clock.now())) {
      return this.#keep(place, list, { open: [], found: 0 }, signal);
    }
    const { open, due } = this.#compare(gitHook, list, baseline);
    const outcome = await this.#recover(due.slice(0, mostAtOnce), { gitHook, credentials }, signal);
    const left = { open: open.filter((one) => !outcome.done.has(one)), more: due.length > mostAtOnce };
    return this.#keep(place, list, { ...outcome, ...left }, signal);
  }

  #compare(gitHook: GitHook, list: TimedList, baseline: Baseline): ReturnType<typeof look> {
    const { runsOf, settings } = this.#deps;
    const { uid = '' } = gitHook.metadata;
    const { repository } = baseline;
    // A run by hand is no push.
    const runs = runsOf(uid).filter(
      ({ spec }) => spec.source !== 'Manual' && canonicalRepository(spec.repository) === repository,
    );
    return look({
      ...list,
      baseline,
      before: this.#memoryOf(uid, repository),
      settleMs: settings.settleMs,
      // What was not wanted when the baseline was taken is not lost: a change of patterns starts nothing.
      wants: (ref) => matchesRef(gitHook.spec.branches, ref) && matchesRef(baseline.branches, ref),
      hasRun: ({ ref, id, unseenMs }) =>
        runs.some((run) => run.spec.ref === ref && run.spec.after === id && covers(run, unseenMs)),
    });
  }

  #memoryOf(uid: string, repository: string): Memory | undefined {
    const memory = this.#memories.get(uid);
    return memory?.repository === repository ? memory : undefined;
  }

  /** Those that are done with, recovered or found to be none. One that fails does not hold up the others. */
  async #recover(
    due: readonly Sighting[],
    of: Omit<Found, 'sighting'>,
    signal: AbortSignal,
  ): Promise<{ readonly done: ReadonlySet<Sighting>; readonly found: number; readonly error?: string }> {
    const done = new Set<Sighting>();
    let found = 0;
    let problem: { readonly error: string } | undefined;
    for (const sighting of due) {
      try {
        if ((await this.#deps.recover({ ...of, sighting }, signal)) === 'recovered') found += 1;
        done.add(sighting);
      } catch (error) {
        if (signal.aborted) throw error;
        problem = { error: `the push of ${sighting.ref} was found and could not be recorded: ${messageOf(error)}` };
      }
    }
    return { done, found, ...problem };
  }

  /** Writes the baseline where it has changed, and remembers the look. Only after what was due is recorded: a crash before finds it again. */
  async #keep(
    { gitHook, acting, stored }: Place,
    list: TimedList,
    outcome: Outcome,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const { branches } = gitHook.spec;
    const repository = repositoryOf(gitHook);
    const baseline = baselineAfter(list, outcome.open, { repository, branches, before: stored.baseline });
    const { uid = '' } = gitHook.metadata;
    const { open } = outcome;
    const before = this.#memoryOf(uid, repository)?.lookedMs ?? 0;
    // Should it not be written, what it lacks will be seen as new: then the time from which that counts must not move.
    this.#memories.set(uid, { repository, lookedMs: before, open });
    if (isNews(baseline, stored.baseline)) {
      await writeBaseline(gitHook, baseline, { acting, resourceVersion: stored.resourceVersion, signal });
    }
    this.#memories.set(uid, { repository, lookedMs: list.startedMs, open });
    return outcome;
  }
}

/** One stored before the schema asked for these fields must not stop the others. */
function isWhole({ spec }: { readonly spec?: Partial<GitHook['spec']> }): boolean {
  return typeof spec?.repository === 'string' && Array.isArray(spec.branches);
}

function repositoryOf({ spec }: GitHook): string {
  return canonicalRepository(spec.repository) ?? spec.repository;
}

/** A baseline of another repository says nothing; one that is too old would start what nobody waits for any more. */
function isUsable(baseline: Baseline, gitHook: GitHook, nowMs: number): boolean {
  return baseline.repository === repositoryOf(gitHook) && nowMs - baseline.asOfMs < keptWindowMs;
}

function isNews(baseline: Baseline, stored: Baseline | undefined): boolean {
  if (stored === undefined || stored.repository !== baseline.repository) return true;
  if (!stored.digests.equals(baseline.digests)) return true;
  if (!isDeepStrictEqual(stored.branches, baseline.branches)) return true;
  return baseline.asOfMs - stored.asOfMs >= renewMs;
}
