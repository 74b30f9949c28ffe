// How objects are asked for: over-http.ts and over-ssh.ts. One asker serves one read.
import type { GitObject } from './pack.ts';
import type { Question } from './pkt-line.ts';

/** Of an answer beside its objects, and of objects that do not compress. */
const wrappingBytes = 64 * 1024;

/** What an answer may have where an object may have so many bytes. */
export function answerBytes(objectBytes: number): number {
  return objectBytes + objectBytes / 8 + wrappingBytes;
}

export interface Asker {
  /**
   * The objects by their ids, with what else came. Throws ObjectTooLarge where one has more than `maxBytes`, Unusable for every
   * answer without objects, and what ManifestSource.read throws. One question at a time.
   */
  ask(question: Question, maxBytes: number): Promise<ReadonlyMap<string, GitObject>>;
  /** Leaves nothing on disk or running. */
  close(): Promise<void>;
}
