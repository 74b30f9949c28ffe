// Lists of refs, shared: GitHooks that ask for the same repository as the same user at the same time share one connection.
// What is shared is an answer, right or wrong; who may see it is decided by the credentials, which are part of the question.
import { createHash } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import type { Credentials, RefList, RefSource } from '../../git/git.ts';

/** A list with the time it was asked for, in milliseconds since 1970. */
export interface TimedList extends RefList {
  readonly startedMs: number;
}

/** How long an answer is good enough: for all GitHooks of a repository that are due in the same moment. */
const sharedForMs = 2_000;

interface Shared {
  readonly list: Promise<TimedList>;
  /** None while it is under way. */
  endMs: number | undefined;
}

export class RefLists {
  readonly #source: Pick<RefSource, 'list'>;
  readonly #clock: Clock;
  readonly #shared = new Map<string, Shared>();

  constructor(source: Pick<RefSource, 'list'>, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
  }

  /** As RefSource.list; a list, or a failure, that is under way or of the last seconds is good enough unless it is to be `fresh`. */
  list(
    repository: { readonly url: string; readonly credentials: Credentials; readonly fresh: boolean },
    signal: AbortSignal,
  ): Promise<TimedList> {
    const { url, credentials, fresh } = repository;
    this.#forgetOld();
    const key = createHash('sha256')
      .update(JSON.stringify([url, credentials]))
      .digest('hex');
    const shared = this.#shared.get(key)?.list;
    if (shared && !fresh) return shared;
    const entry: Shared = { list: this.#ask(url, credentials, signal), endMs: undefined };
    this.#shared.set(key, entry);
    const end = (): void => {
      entry.endMs = this.#clock.monotonic() + sharedForMs;
    };
    entry.list.then(end, end);
    return entry.list;
  }

  #forgetOld(): void {
    const nowMs = this.#clock.monotonic();
    for (const [key, { endMs }] of this.#shared) {
      if (endMs !== undefined && endMs <= nowMs) this.#shared.delete(key);
    }
  }

  async #ask(url: string, credentials: Credentials, signal: AbortSignal): Promise<TimedList> {
    const startedMs = this.#clock.now();
    return { startedMs, ...(await this.#source.list(url, credentials, signal)) };
  }
}
