// One long-running program of the cluster, inside the sandbox, its output in a file of the cluster's folder, and the
// wait for what it is to bring about. A program's early end is an error that names it and shows its last words.
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type RunningProcess, startProcess } from '../processes.ts';
import type { Sandbox } from './sandbox.ts';

export interface ProgramOptions {
  readonly name: string;
  readonly command: readonly string[];
  /** The cluster's folder: the output goes to `<name>.log` there. */
  readonly folder: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** Ends with the sandbox. */
export async function startProgram(sandbox: Sandbox, options: ProgramOptions): Promise<RunningProcess> {
  const { name, folder, env } = options;
  const [file = '', ...args] = sandbox.enter(options.command);
  const environment = env === undefined ? {} : { env };
  return startProcess({ name, file, args, logFile: join(folder, `${name}.log`), ...environment });
}

export interface ReadyOptions {
  /** To end the sentence "… is not ready after 60 s". */
  readonly what: string;
  /** The programs without which it can never become ready. */
  readonly programs: readonly RunningProcess[];
  readonly signal?: AbortSignal | undefined;
}

const everyMs = 50;
// The whole start takes under 10 s on two idle cores; a machine busy with a build is several times slower.
const deadlineMs = 60_000;

/** Asks until `isReady` gives true; its errors count as "not yet". Throws at once when one of the programs has ended. */
export async function untilReady(isReady: () => Promise<boolean>, options: ReadyOptions): Promise<void> {
  const end = performance.now() + deadlineMs;
  let last: unknown;
  while (performance.now() < end) {
    options.signal?.throwIfAborted();
    const gone = options.programs.find((program) => program.exit() !== undefined);
    if (gone !== undefined) throw new Error(`${gone.name} ended: ${gone.logTail()}`);
    try {
      if (await isReady()) return;
    } catch (error) {
      last = error;
    }
    await setTimeout(everyMs, undefined, { signal: options.signal });
  }
  const words = options.programs.map((program) => `${program.name}: ${program.logTail()}`);
  throw new Error(`${options.what} is not ready after ${deadlineMs / 1000} s\n${words.join('\n')}`, { cause: last });
}
