// Runs in the API server. Reads come from our own last write where there is one, else from the API server itself, never
// from a watch's cache, which may be old. Writes of one run are one at a time and compare-and-swap, so that another
// writer is never overwritten.
import type { GitHookRun, GitHookRunStatus } from '../api/githookrun.ts';
import { runType } from '../api/keys.ts';
import { formatKey, keyOf, parseKey, withoutManagers } from '../api/object.ts';
import { isConflict, isNotFound, type Kube } from '../kube/kube.ts';
import { Turns } from './turns.ts';

/** How often an update that lost a race is tried again before the queue's back-off takes over. */
const conflictAttempts = 5;

/** Called after each write. `overtaken`: somebody else has written in between, and what he wrote is in this run. */
type OnWrite = (run: GitHookRun, overtaken: boolean) => void;

export class RunStore {
  readonly #kube: Kube;
  readonly #onWrite: OnWrite;
  readonly #isWatched: (key: string) => boolean;
  /** What this process wrote last of each run that is not done with. */
  readonly #own = new Map<string, GitHookRun>();
  /** Writes, by run. */
  readonly #turns = new Turns();
  /** Versions that the watch showed while this process wrote: its own, or somebody else's that nobody has looked at. */
  readonly #shownMeanwhile = new Map<string, Set<string>>();

  /** `isWatched` says whether the watch shows the run. */
  constructor(kube: Kube, onWrite: OnWrite, isWatched: (key: string) => boolean) {
    this.#kube = kube;
    this.#onWrite = onWrite;
    this.#isWatched = isWatched;
  }

  /** The run as it is; undefined where there is none. Throws while the watch shows one that the API server does not find. */
  async read(key: string, signal: AbortSignal): Promise<GitHookRun | undefined> {
    const own = this.#own.get(key);
    if (own !== undefined) return own;
    try {
      return await this.#kube.get<GitHookRun>(runType, parseKey(key), { signal });
    } catch (error) {
      // One of several API servers may not know it yet; of one that has gone the watch tells.
      if (isNotFound(error) && !this.#isWatched(key)) return undefined;
      throw error;
    }
  }

  /** Whether a read needs no request. */
  isKnown(key: string): boolean {
    return this.#own.has(key);
  }

  /** Writes what `change` makes of the run; throws a conflict where somebody else has written it since it was read. */
  write(run: GitHookRun, change: (newest: GitHookRun) => GitHookRunStatus, signal: AbortSignal): Promise<GitHookRun> {
    const key = formatKey(keyOf(run));
    return this.#turns.take(key, () => {
      const newest = this.#own.get(key) ?? run;
      return this.#put(key, newest, change(newest), signal);
    });
  }

  /** The same, but made anew of what somebody else has written. `change` returns undefined for nothing to write; undefined where the run is gone. */
  update(
    key: string,
    change: (newest: GitHookRun) => GitHookRunStatus | undefined,
    signal: AbortSignal,
  ): Promise<GitHookRun | undefined> {
    return this.#turns.take(key, async () => {
      for (let attempt = 1; attempt < conflictAttempts; attempt++) {
        try {
          return await this.#change(key, change, signal);
        } catch (error) {
          if (!isConflict(error)) throw error;
        }
      }
      return this.#change(key, change, signal);
    });
  }

  /** Whether the watch shows what this process wrote itself, or something older. Anything newer is somebody else's. */
  isEcho(run: GitHookRun): boolean {
    const key = formatKey(keyOf(run));
    const own = this.#own.get(key);
    if (own === undefined) return false;
    if (own.metadata.uid === run.metadata.uid && !isNewer(run, own)) {
      // The same, once: the watch's copy is in memory anyway.
      if (run.metadata.resourceVersion === own.metadata.resourceVersion) this.#own.set(key, run);
      return true;
    }
    // The watch can be faster than the answer to a write: then it is the answer that says whose this is.
    if (this.#turns.has(key)) this.#noteShown(key, run);
    else this.#own.delete(key);
    return false;
  }

  /** Forgets a run that is gone or done with. */
  forget(key: string): void {
    this.#own.delete(key);
    this.#shownMeanwhile.delete(key);
  }

  #noteShown(key: string, { metadata }: GitHookRun): void {
    const shown = this.#shownMeanwhile.get(key) ?? new Set();
    this.#shownMeanwhile.set(key, shown.add(metadata.resourceVersion ?? ''));
  }

  async #change(
    key: string,
    change: (newest: GitHookRun) => GitHookRunStatus | undefined,
    signal: AbortSignal,
  ): Promise<GitHookRun | undefined> {
    const run = await this.read(key, signal);
    const status = run && change(run);
    if (run === undefined || status === undefined) return run;
    try {
      return await this.#put(key, run, status, signal);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async #put(key: string, run: GitHookRun, status: GitHookRunStatus, signal: AbortSignal): Promise<GitHookRun> {
    try {
      const answer = await this.#kube.replace(runType, { ...run, status }, { subresource: 'status', signal });
      const written = withoutManagers(answer); // which the API server keeps where an update has none
      this.#own.set(key, written);
      const shown = this.#shownMeanwhile.get(key);
      this.#shownMeanwhile.delete(key);
      shown?.delete(written.metadata.resourceVersion ?? '');
      this.#onWrite(written, shown !== undefined && shown.size > 0);
      return written;
    } catch (error) {
      // After any failure nobody knows what is stored: the next read asks.
      this.#own.delete(key);
      throw error;
    }
  }
}

/** Resource versions of one type can be compared as numbers (KEP-5504); what is not a number counts as newer. */
export function isNewer(a: GitHookRun, b: GitHookRun): boolean {
  const [versionA, versionB] = [Number(a.metadata.resourceVersion), Number(b.metadata.resourceVersion)];
  return !(versionA <= versionB);
}
