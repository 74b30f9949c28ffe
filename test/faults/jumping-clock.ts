// A clock for the program under test that goes on by a minute at each SIGUSR2: ten minutes pass in seconds, while sockets,
// servers and everybody else live in real time. Built into the program in the place of its own clock.
import { join } from 'node:path';
import type { Clock } from '../../src/clock.ts';
import type { Edit } from './program.ts';

const jumpMs = 60_000;

export function jumping(real: Clock): Clock {
  let aheadMs = 0;
  let jumped = new AbortController();
  process.on('SIGUSR2', () => {
    aheadMs += jumpMs;
    const last = jumped;
    jumped = new AbortController();
    last.abort();
  });
  const monotonic = (): number => real.monotonic() + aheadMs;
  return {
    monotonic,
    now: () => real.now() + aheadMs,
    sleep: async (ms, signal) => {
      const due = monotonic() + ms;
      while (monotonic() < due) {
        signal?.throwIfAborted();
        const woken = AbortSignal.any([jumped.signal, ...(signal ? [signal] : [])]);
        await real.sleep(due - monotonic(), woken).catch(() => undefined);
      }
      signal?.throwIfAborted();
    },
  };
}

/** Puts it into the program. */
export const withJumpingClock: readonly Edit[] = [
  {
    file: 'src/clock.ts',
    find: 'export const systemClock: Clock = {',
    replace: `import { ${jumping.name} } from '${join(import.meta.dirname, 'jumping-clock.ts')}';\nconst realClock: Clock = {`,
  },
  {
    file: 'src/clock.ts',
    find: '/** A time as Kubernetes writes it',
    replace: 'export const systemClock: Clock = jumping(realClock);\n\n/** A time as Kubernetes writes it',
  },
];
