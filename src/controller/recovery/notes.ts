// How the search for lost pushes goes, for each GitHook, until githook.ts has written it into its status. Written to by the
// searches; what a crash loses is a count that is one too low and a time that is a few minutes old.
import { isDeepStrictEqual } from 'node:util';
import type { GitHook, GitHookStatusRecovery } from '../../api/githook.ts';
import { formatKey, keyOf } from '../../api/object.ts';
import { formatTime } from '../../clock.ts';
import { oneLine } from '../../text.ts';

export type Source = GitHookStatusRecovery['source'];

/** What is to be said of one source, and is not written yet. */
export interface Note {
  readonly source: Source;
  /** Not looked for (any more): nothing is said. */
  readonly off?: boolean;
  /** When it last worked, in milliseconds since 1970. */
  readonly workedMs?: number;
  /** Why the last attempt did not. */
  readonly error?: string;
  /** Pushes found since the status was written. */
  readonly found?: number;
  readonly foundMs?: number;
  readonly cursor?: string;
}

/** So often is a time renewed that says nothing new. */
const renewMs = 10 * 60_000;
/** The CRD's limit. */
const maxError = 1024;

export class RecoveryNotes {
  readonly #wake: (gitHookKey: string) => void;
  readonly #notes = new Map<string, ReadonlyMap<Source, Note>>();

  /** `wake` is called with the key of a GitHook whose status has something new to say. */
  constructor(wake: (gitHookKey: string) => void) {
    this.#wake = wake;
  }

  /** What is not written yet, of the GitHook with this UID. */
  of(uid: string): readonly Note[] {
    return [...(this.#notes.get(uid)?.values() ?? [])];
  }

  /** Takes down how an attempt went; what was found adds up. */
  note(gitHook: GitHook, note: Note): void {
    const { uid = '' } = gitHook.metadata;
    const before = this.#notes.get(uid)?.get(note.source);
    const found = (before?.found ?? 0) + (note.found ?? 0);
    const foundMs = note.foundMs ?? before?.foundMs;
    const cursor = note.cursor ?? before?.cursor;
    const merged = {
      ...note,
      found,
      ...(foundMs !== undefined && { foundMs }),
      ...(cursor !== undefined && { cursor }),
    };
    this.#notes.set(uid, new Map(this.#notes.get(uid)).set(note.source, merged));
    const written = gitHook.status?.recovery;
    if (!isDeepStrictEqual(withNotes(written, this.of(uid)), written)) this.#wake(formatKey(keyOf(gitHook)));
  }

  /** To be called when these notes are in the status: what they counted is not counted again. */
  written(uid: string, notes: readonly Note[]): void {
    const now = new Map(this.#notes.get(uid));
    for (const { source, found = 0 } of notes) {
      const note = now.get(source);
      if (note) now.set(source, { ...note, found: (note.found ?? 0) - found });
    }
    if (now.size > 0) this.#notes.set(uid, now);
  }

  forget(uid: string): void {
    this.#notes.delete(uid);
  }
}

/** The status with the notes in it; the very same where they say nothing new. */
export function withNotes(
  before: readonly GitHookStatusRecovery[] | undefined,
  notes: readonly Note[],
): readonly GitHookStatusRecovery[] | undefined {
  if (notes.length === 0) return before;
  const others = (before ?? []).filter(({ source }) => !notes.some((note) => note.source === source));
  const noted = notes.flatMap(
    (note) =>
      withNote(
        before?.find(({ source }) => source === note.source),
        note,
      ) ?? [],
  );
  const after = [...others, ...noted].sort((a, b) => (a.source > b.source ? -1 : 1));
  return after.length === 0 && before === undefined ? undefined : after;
}

function withNote(before: GitHookStatusRecovery | undefined, note: Note): GitHookStatusRecovery | undefined {
  if (note.off) return undefined;
  const { lastError, ...kept } = before ?? { source: note.source };
  const { workedMs, error, found = 0, foundMs, cursor } = note;
  const since = Date.parse(kept.lastSuccessTime ?? '');
  const isOld = workedMs !== undefined && (lastError !== undefined || !(workedMs - since < renewMs));
  return {
    ...kept,
    ...(isOld && { lastSuccessTime: formatTime(workedMs) }),
    ...(error !== undefined && { lastError: oneLine(error, maxError) }),
    ...(found > 0 && { found: (kept.found ?? 0) + found }),
    ...(found > 0 && foundMs !== undefined && { lastFoundTime: formatTime(foundMs) }),
    // It may be a little behind: what is read again is known again.
    ...(cursor !== undefined && (isOld || found > 0) && { cursor }),
  };
}
