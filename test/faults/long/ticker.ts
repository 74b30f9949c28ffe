// Every few seconds of a long run: a line for the person who waits, a look at replicas that ended by themselves, and a sample of
// what they hold.
import { elapsed } from '../../env/progress.ts';
import { usageOf } from './hygiene.ts';
import type { State, Way } from './long-run.ts';

const everyMs = 5_000;

export interface Sample {
  readonly seconds: number;
  readonly replica: string;
  readonly memoryMiB: number;
  readonly files: number;
}

/** Begins; what it returns ends it, and may be called twice. */
export function lookAround(state: State, { write }: Way): () => Promise<void> {
  let looking: Promise<void> | undefined;
  const timer = setInterval(() => {
    looking ??= look(state, write)
      .catch((error: unknown) => write(`${error}`))
      .finally(() => {
        looking = undefined;
      });
  }, everyMs);
  return async () => {
    clearInterval(timer);
    await looking;
  };
}

async function look(state: State, write: (line: string) => void): Promise<void> {
  const { world, samples, began } = state;
  const seconds = Math.round((performance.now() - began) / 1000);
  for (const replica of world.replicas) {
    await replica.lookAfter();
    const { memoryMiB, files } = await usageOf(replica);
    if (memoryMiB > 0) samples.push({ seconds, replica: replica.name, memoryMiB, files });
  }
  write(progress(state));
}

function progress({ world, ledger, nemesis, clients, began }: State): string {
  const client = clients.at(-1);
  const all = clients.reduce((sum, { sendings }) => sum + sendings.length, 0);
  const taken = clients.reduce((sum, { taken }) => sum + taken, 0);
  const leader = world.replicas.find((replica) => replica.leads())?.name ?? 'nobody';
  const faults = nemesis.now() || 'none';
  return [
    elapsed(performance.now() - began),
    `${taken} of ${all} taken (${client?.repeats ?? 0} again)`,
    `${ledger.runs.size} runs, ${ledger.ended} ended, ${ledger.over} told`,
    `${leader} leads`,
    `${nemesis.count} faults, now: ${faults}`,
  ].join(' · ');
}
