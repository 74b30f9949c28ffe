// A watch that stays open and says nothing more, bookmarks neither, as a dead connection does. Its watchdog must find it out,
// and the run must end within the stated bound. Time is injected: see jumping-clock.ts.
import { test } from 'node:test';
import { withJumpingClock } from './jumping-clock.ts';
import { buildProgram } from './program.ts';
import { type Case, prove } from './results.ts';
import { play } from './scenario.ts';
import { atOnce } from './size.ts';
import { keepTime, tenMinutes, withoutElection } from './time-keeper.ts';
import type { WatchFault } from './watch-breaker.ts';

/** The watchdog waits for 150 s; a run needs two of its watches, one after the other. */
const limitMinutes = 6;

const silent: Readonly<Record<string, RegExp>> = {
  'of GitHooks': /^githooks\b/,
  'of runs': /^githookruns\b/,
  'of Jobs': /^jobs\b/,
  'of everything': /./,
};

/** Those that are open at the push; what is opened later speaks. */
function silence(which: RegExp, isOver: () => boolean): WatchFault {
  return ({ name, line }) => (which.test(name) && !isOver() ? [] : [line]);
}

test('a watch that falls silent is found out in time', { timeout: 600_000, concurrency: atOnce }, async (t) => {
  const program = await buildProgram(t, withJumpingClock);
  const cases = Object.entries(silent).map(
    ([what, which]): Case => ({
      row: `the watch ${what}`,
      column: 'silent from the push on',
      run: async (lane) => {
        const time = keepTime();
        // The watchdog has ended the silent watches by then.
        const watch = silence(which, () => time.minutes() >= 3);
        const story = { program, args: withoutElection, watch, meanwhile: time.meanwhile, atLast: tenMinutes };
        const { violations } = await play(lane, story);
        const tooLate = time.minutes() > limitMinutes ? [`S2: found after ${time.minutes()} minutes`] : [];
        return { met: true, found: time.found(), violations: [...violations, ...tooLate] };
      },
    }),
  );
  await prove(t, 'silent', cases);
});
