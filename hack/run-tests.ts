// How `npm test` and `npm run e2e` begin and end: a signal stops them, and nothing they started outlives them.
// Called by test.ts and e2e.ts.
import { join } from 'node:path';
import { startProcess, untilExit } from '../test/env/processes.ts';
import { SetupError } from '../test/env/setup-error.ts';

export const root = join(import.meta.dirname, '..');

const exitCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 }; // as shells count

/**
 * Runs a program and sets our exit code: what `main` returns, or that of the signal that stopped us; says what went wrong.
 * `signal` is aborted by the first SIGHUP, SIGINT or SIGTERM; a second one ends us at once, and our children with us.
 */
export async function runProgram(main: (signal: AbortSignal) => Promise<number>): Promise<void> {
  const stopping = new AbortController();
  for (const [signal, code] of Object.entries(exitCodes)) process.once(signal, () => stopping.abort(code));
  process.exitCode = await main(stopping.signal).catch((error: unknown) => {
    if (stopping.signal.aborted) return stopping.signal.reason as number;
    console.error(error instanceof SetupError ? `kube-git: ${error.message}` : error);
    return 1;
  });
}

export interface NodeTests {
  /** After --test: options, files and patterns. */
  readonly args: readonly string[];
  /** Besides our own environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** `node --test` in the root folder. Returns its exit code; throws once stopped, when it has ended. */
export async function runNodeTests({ args, env, signal }: NodeTests): Promise<number> {
  const tests = await startProcess({
    name: 'node --test',
    file: process.execPath,
    args: ['--test', '--test-reporter=spec', ...args],
    cwd: root,
    env: { ...process.env, ...env },
  });
  const stop = (): void => void tests.stop();
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  const { code } = await untilExit(tests);
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
  return code ?? exitCodes.SIGTERM;
}
