// Runs that were deleted while somebody still has to hear of them. They are kept here, in memory, and told of like any other:
// for the API server there is nothing left to write to, so a restart forgets them.
import type { GitHook } from '../../api/githook.ts';
import type { GitHookRun, GitHookRunStatus } from '../../api/githookrun.ts';
import { gitHookKey } from '../../api/keys.ts';
import { formatKey, keyOf } from '../../api/object.ts';
import { isEnded, withStanding } from '../../api/phase.ts';
import { canonicalRepository } from '../../api/repository.ts';
import { type Clock, formatTime } from '../../clock.ts';
import type { Store } from '../../kube/reflector.ts';
import type { Log } from '../../log.ts';
import type { Announcer } from '../announce.ts';
import type { RunIndex } from '../run-index.ts';
import { contextOf } from './report.ts';
import { isOwed, type SinkKey } from './sinks.ts';

/** The type of the sink that has one word for all runs of a commit. */
const commitStatus = 'github';

/** A namespace with so many runs going on may go as a whole; each takes about 5 KB. */
const mostRuns = 1000;

/** How long a sink that does not answer is tried: longer than an outage that somebody works on. */
const longestMs = 24 * 3_600_000;

/** A run without a word that old comes from a backup, and its push was told of in its time. */
const freshMs = 3_600_000;

export interface GoneRunsDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly announce: Pick<Announcer, 'ended'>;
  readonly index: RunIndex;
  readonly gitHooks: Pick<Store<GitHook>, 'get' | 'byIndex'>;
  /** The installation's, as in ReportOptions. */
  readonly statusContext: string;
}

/** What a deleted run leaves behind. */
export interface Legacy {
  /** Under which it is read here; no key of a live run. */
  readonly key: string;
  readonly run: GitHookRun;
  /** The run of the same GitHook whose commit status it has overwritten: to be set again. */
  readonly heir: { readonly run: GitHookRun; readonly sink: SinkKey } | undefined;
}

export class GoneRuns {
  readonly #deps: GoneRunsDeps;
  readonly #runs = new Map<string, { readonly run: GitHookRun; readonly since: number }>();

  constructor(deps: GoneRunsDeps) {
    this.#deps = deps;
  }

  /** To be called with the last state of a run that is gone from the index; undefined where there is nothing to say. */
  add(deleted: GitHookRun): Legacy | undefined {
    const { announce, clock } = this.#deps;
    const last = lastWord(deleted, clock.now(), this.#isLive(deleted));
    if (last === undefined) return undefined;
    if (!isEnded(deleted)) announce.ended(last);
    const speaker = isEnded(deleted) ? undefined : this.#speaker(last);
    const run = speaker ? withoutCommitStatus(last) : last;
    // One of another GitHook could not speak while this one's was there, and is asked again by itself: see ContextTaken.
    const heir = speaker?.run.spec.gitHookRef.uid === run.spec.gitHookRef.uid ? speaker : undefined;
    const key = `${formatKey(keyOf(run))}@${run.metadata.uid}`;
    if (run.status?.sinks?.some(isOwed)) this.#keep(key, run);
    return { key, run, heir };
  }

  /** All that are kept, with their keys. */
  list(): readonly (readonly [key: string, run: GitHookRun])[] {
    return [...this.#runs].map(([key, { run }]) => [key, run]);
  }

  async read(key: string): Promise<GitHookRun | undefined> {
    const kept = this.#runs.get(key);
    if (kept === undefined) return undefined;
    if (this.#deps.clock.monotonic() - kept.since < longestMs) return kept.run;
    this.#runs.delete(key);
    this.#deps.log.warn({ run: key }, 'gave up telling the end of a deleted run');
    return undefined;
  }

  /** As RunStore's, and forgets the run when everybody has heard of it. */
  async update(
    key: string,
    change: (run: GitHookRun) => GitHookRunStatus | undefined,
  ): Promise<GitHookRun | undefined> {
    const kept = this.#runs.get(key);
    const status = kept && change(kept.run);
    if (kept === undefined || status === undefined) return kept?.run;
    const run = { ...kept.run, status };
    if (run.status.sinks?.some(isOwed)) this.#runs.set(key, { ...kept, run });
    else this.#runs.delete(key);
    return run;
  }

  #keep(key: string, run: GitHookRun): void {
    this.#runs.set(key, { run, since: this.#deps.clock.monotonic() });
    const oldest = this.#runs.keys().next().value;
    if (this.#runs.size > mostRuns && oldest !== undefined) this.#runs.delete(oldest);
  }

  #isLive(run: GitHookRun): boolean {
    return this.#deps.gitHooks.get(gitHookKey(run))?.metadata.uid === run.spec.gitHookRef.uid;
  }

  /** A commit status has one word: that of a run that is still there counts more than that another one was cancelled. */
  #speaker(run: GitHookRun): Legacy['heir'] {
    const { gitHooks, index } = this.#deps;
    const others = gitHooks.byIndex(canonicalRepository(run.spec.repository) ?? '');
    const uids = others.filter((one) => this.#sharesContext(run, one)).map(({ metadata }) => metadata.uid ?? '');
    const own = this.#isLive(run) ? [run.spec.gitHookRef.uid] : [];
    for (const uid of [...own, ...uids]) {
      const speaker = index.speaker(uid, run.spec.commit, commitStatus);
      if (speaker) return speaker;
    }
    return undefined;
  }

  /** Whether the GitHook, of the run's repository, sets the commit status that the run has set. */
  #sharesContext(run: GitHookRun, { metadata, spec }: GitHook): boolean {
    const name = formatKey(keyOf({ metadata }));
    return (
      contextOf(name, spec.notification?.context, this.#deps) ===
      contextOf(gitHookKey(run), run.spec.notification?.context, this.#deps)
    );
  }
}

/** The run as it is to be told of for the last time. */
function lastWord(run: GitHookRun, nowMs: number, isLive: boolean): GitHookRun | undefined {
  if (isEnded(run)) return run.status?.sinks?.some(isOwed) ? run : undefined;
  const isNew = run.status?.phase === undefined;
  if (isNew && (run.spec.suspend || nowMs - Date.parse(run.spec.receivedTime) > freshMs)) return undefined;
  const message = isLive
    ? 'The run was deleted before it ended.'
    : `The GitHook "${run.spec.gitHookRef.name}" was deleted before the run ended.`;
  return { ...run, status: withStanding(run, { phase: 'Failed', reason: 'Cancelled', message }, formatTime(nowMs)) };
}

function withoutCommitStatus(run: GitHookRun): GitHookRun {
  const sinks = (run.status?.sinks ?? []).map((sink) =>
    sink.type === commitStatus ? { ...sink, desired: 'Superseded' as const } : sink,
  );
  return { ...run, status: { ...run.status, sinks } };
}
