// Lets time pass for a program with a jumping clock, a minute at a time, whenever it has come to rest before the end.
import { setTimeout as delay } from 'node:timers/promises';
import { isWork } from './points.ts';
import type { Scene } from './scenario.ts';

/** Whoever does nothing for so long waits for time to pass. */
const restMs = 1_000;
/** In real time, for what a minute starts: a list, a watch, the work on a run. */
const minuteMs = 600;
/** Past it nothing more is expected of time. */
const limitMinutes = 30;

export interface TimeKeeper {
  /** For Story.meanwhile. */
  readonly meanwhile: (scene: Scene) => Promise<void>;
  /** Minutes that had to pass. */
  minutes(): number;
  /** For the table. */
  found(): string;
}

export function keepTime(): TimeKeeper {
  let minutes = 0;
  let last = performance.now();
  return {
    minutes: () => minutes,
    found: () => (minutes === 0 ? 'at once' : `after ${minutes} min`),
    meanwhile: async ({ lane, passMinute }) => {
      const now = performance.now();
      const isBusy = lane.callsSince(now - restMs).some(({ what, door }) => isWork(what) && door !== 'webhook');
      if (isBusy || now < last + minuteMs || minutes >= limitMinutes) return;
      last = now;
      minutes++;
      passMinute();
    },
  };
}

/** A Lease would be lost when time jumps, and a new term finds everything: what is to be seen is what happens without one. */
export const withoutElection: readonly string[] = ['-leader-elect=false'];

/** Ten minutes, one by one: for Story.atLast. */
export async function tenMinutes({ passMinute }: Scene): Promise<void> {
  for (let minute = 1; minute <= 10; minute++) {
    passMinute();
    await delay(minuteMs);
  }
}
