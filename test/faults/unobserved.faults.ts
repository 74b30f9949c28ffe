// Each watch event of a push's way to its end is lost once, comes twice, late, or garbled. What kube-git does not see it must
// find by itself: at once where the stream shows that it is broken, else with the next list.
import { test } from 'node:test';
import type { KubeObject } from '../../src/api/object.ts';
import { withJumpingClock } from './jumping-clock.ts';
import { Lanes } from './lane.ts';
import { buildProgram } from './program.ts';
import { type Case, prove } from './results.ts';
import { play } from './scenario.ts';
import { atOnce, sample } from './size.ts';
import { keepTime, withoutElection } from './time-keeper.ts';
import type { WatchFault } from './watch-breaker.ts';

/** docs/limits.md: a watch lives for up to ten minutes, and the list before it is at most ten minutes older. */
const limitMinutes = 20;

/** Each strikes once, at the event of this name. */
const faults: Readonly<Record<string, (event: string) => WatchFault>> = {
  lost:
    (event) =>
    ({ name, line }) =>
      name === event ? [bookmarkOf(line)] : [line],
  twice:
    (event) =>
    ({ name, line }) =>
      name === event ? [line, line] : [line],
  late: (event) => {
    let held: string | undefined;
    return ({ name, line }) => {
      if (name === event) {
        held = line;
        return [];
      }
      const isNext = held !== undefined && name.split(' ')[0] === event.split(' ')[0];
      const lines = isNext ? [line, held ?? ''] : [line];
      if (isNext) held = undefined;
      return lines;
    };
  },
  'half of it':
    (event) =>
    ({ name, line }) =>
      name === event ? [line.slice(0, line.length / 2)] : [line],
  'garbage before':
    (event) =>
    ({ name, line }) =>
      name === event ? ['\u0000<html>502', line] : [line],
};

/** Nothing shows that there was an event: the watch goes on behind it. */
function bookmarkOf(line: string): string {
  const { apiVersion, kind, metadata } = (JSON.parse(line) as { object: KubeObject }).object;
  const { resourceVersion } = metadata;
  return JSON.stringify({ type: 'BOOKMARK', object: { apiVersion, kind, metadata: { resourceVersion } } });
}

test('a watch event that is lost, repeated, late or garbled loses nothing and doubles nothing', {
  timeout: 3_600_000,
  concurrency: atOnce,
}, async (t) => {
  const program = await buildProgram(t, withJumpingClock);
  const events: string[] = [];
  const note: WatchFault = ({ name, line }) => {
    if (name.includes('#')) events.push(name);
    return [line];
  };
  await new Lanes(t).use((lane) => play(lane, { program, args: withoutElection, watch: note }));
  const cases = events.flatMap((event) =>
    Object.entries(faults).map(
      ([what, fault]): Case => ({
        row: event,
        column: what,
        run: async (lane) => {
          const time = keepTime();
          let met = false;
          const strike = fault(event);
          const watch: WatchFault = (one) => {
            met ||= one.name === event;
            return strike(one);
          };
          const story = { program, args: withoutElection, watch, meanwhile: time.meanwhile };
          const { violations } = await play(lane, story);
          const tooLate = time.minutes() > limitMinutes ? [`S2: found after ${time.minutes()} minutes`] : [];
          return { met, found: time.found(), violations: [...violations, ...tooLate] };
        },
      }),
    ),
  );
  await prove(t, 'unobserved', sample(cases, { short: 20 }, 'unobserved'));
});
