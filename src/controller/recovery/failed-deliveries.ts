// Which entries of a forge's log are deliveries that nobody took, and from when on the log is read. Pure. Called by log-reader.ts.
import type { LoggedAttempt } from '../../notifier/delivery-log.ts';

/** "Deliveries of the past three days": what is older, the forge does not keep. */
const keptMs = 3 * 24 * 60 * 60_000;
/** What was sent a moment before a reading can stand in the log a moment after it, and clocks differ. */
const overlapMs = 15 * 60_000;

/** From when on a GitHook wants to know of deliveries, in milliseconds since 1970: what came before it was made is not its. */
export function sinceOf(
  { cursor, createdTime }: { readonly cursor: string | undefined; readonly createdTime: string | undefined },
  nowMs: number,
): number {
  const created = Date.parse(createdTime ?? '') || 0;
  const read = Date.parse(cursor ?? '') - overlapMs || 0;
  return Math.max(nowMs - keptMs, created, read);
}

/**
 * The last attempt of each delivery of a push that has never been answered with 2xx, oldest first. Those in `done` are left
 * out. `deliveredMs` is that of the first attempt: a delivery is as old as that, however often it was sent again.
 */
export function failedDeliveries(
  attempts: readonly LoggedAttempt[],
  done: { has(guid: string): boolean },
): readonly LoggedAttempt[] {
  const byGuid = Map.groupBy(
    attempts.filter(({ event, guid }) => event === 'push' && !done.has(guid)),
    ({ guid }) => guid,
  );
  return [...byGuid.values()]
    .filter((group) => !group.some(({ statusCode }) => statusCode >= 200 && statusCode < 300))
    .flatMap((group) => {
      const [last, ...earlier] = [...group].sort((a, b) => b.deliveredMs - a.deliveredMs);
      return last ? [{ ...last, deliveredMs: earlier.at(-1)?.deliveredMs ?? last.deliveredMs }] : [];
    })
    .sort((a, b) => a.deliveredMs - b.deliveredMs);
}
