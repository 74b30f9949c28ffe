// How many a second, from when each happened. Pure; called by bench/groups.

/** Each whole second is a value, so that the spread shows; in all where there is none. */
export function ratesOf(times: readonly number[], fromMs: number): readonly number[] {
  const last = times.at(-1) ?? fromMs;
  const seconds = Math.floor((last - fromMs) / 1000);
  if (seconds === 0) return [(times.length / Math.max(last - fromMs, 1)) * 1000];
  const counts = Array.from({ length: seconds }, () => 0);
  for (const time of times) {
    const second = Math.floor((time - fromMs) / 1000);
    if (second < seconds) counts[second] = (counts[second] ?? 0) + 1;
  }
  return counts;
}
