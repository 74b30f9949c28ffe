// When each Job of a namespace was there, by a bare watch. Called by bench/groups.
import type { KubeObject } from '../../src/api/object.ts';
import { waitFor } from '../../test/env/wait.ts';
import { watchAll } from '../../test/faults/long/watching.ts';
import type { Bench } from '../group.ts';
import type { Place } from './place.ts';

export interface JobWatch {
  /** When each was first shown, by performance.now(), in that order. */
  readonly times: readonly number[];
  /** Waits until there have been so many; throws after `silentMs` without a new one. */
  until(count: number, silentMs: number): Promise<void>;
}

/** Watches until the group ends. */
export function watchJobs(bench: Bench, { client, jobs }: Place): JobWatch {
  const times: number[] = [];
  const seen = new Set<string>();
  const note = ({ metadata }: KubeObject): void => {
    const uid = metadata.uid ?? '';
    if (!seen.has(uid)) times.push(performance.now());
    seen.add(uid);
  };
  const ended = new AbortController();
  const watching = watchAll<KubeObject>(client.server, jobs, note, AbortSignal.any([bench.signal, ended.signal]));
  bench.after(async () => {
    ended.abort();
    await watching;
  });
  return { times, until: (count, silentMs) => untilSeen(bench, times, { count, silentMs }) };
}

async function untilSeen(
  { signal }: Bench,
  times: readonly number[],
  { count, silentMs }: { readonly count: number; readonly silentMs: number },
): Promise<void> {
  while (times.length < count) {
    const had = times.length;
    const what = `a Job after the ${had} of ${count} that there are`;
    await waitFor(() => times.length > had, { what, deadlineMs: silentMs, signal });
  }
}
