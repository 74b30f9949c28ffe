// When each Job of a namespace was there, by a bare watch. Called by bench/groups.
import type { KubeObject } from '../../src/api/object.ts';
import { waitFor } from '../../test/env/wait.ts';
import { watchAll } from '../../test/faults/long/watching.ts';
import type { Bench } from '../group.ts';
import type { Place } from './place.ts';

export interface JobWatch {
  /** When each was first shown, by performance.now(), in that order. */
  readonly times: readonly number[];
  /** Waits until there have been so many. */
  until(count: number, deadlineMs: number): Promise<void>;
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
  return { times, until: (count, deadlineMs) => untilSeen(bench, times, { count, deadlineMs }) };
}

async function untilSeen(
  { signal }: Bench,
  times: readonly number[],
  { count, deadlineMs }: { readonly count: number; readonly deadlineMs: number },
): Promise<void> {
  const enough = (): boolean => {
    if (times.length < count) throw new Error(`there are ${times.length}`);
    return true;
  };
  await waitFor(enough, { what: `${count} Jobs`, deadlineMs, signal });
}
