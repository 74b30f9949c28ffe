// `npm test [-- FILES, FOLDERS or node --test options]`: starts a real control plane, runs the tests against it, ends it.
// Tests find it through test/env/cluster.ts. The control plane is built first where it is missing (minutes, once).
import { stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { SetupError } from '../test/env/setup-error.ts';
import { root, runNodeTests, runProgram } from './run-tests.ts';
import { checkGit, withTestCluster } from './test-cluster.ts';

const allTests = ['src/**/*.test.ts', 'test/**/*.test.ts', 'hack/**/*.test.ts', 'bench/**/*.test.ts'];
/** Far above the slowest test here, and low enough that one that hangs names itself before a CI job is cancelled. */
const testTimeoutMs = 120_000;
await runProgram(main);

async function main(signal: AbortSignal): Promise<number> {
  const tests = await nodeArguments(process.argv.slice(2));
  await checkGit();
  return withTestCluster(signal, (env) => runNodeTests({ args: tests, env, signal }));
}

/** What was given, after our defaults; all tests where no file was named. */
async function nodeArguments(given: readonly string[]): Promise<string[]> {
  const read = await Promise.all(given.map(readArgument));
  return [
    `--test-timeout=${testTimeoutMs}`,
    // Tests mostly wait for the API server: two at a time keep two cores busy.
    `--test-concurrency=${Math.max(2, availableParallelism())}`,
    ...read.map(({ argument }) => argument),
    ...(read.some(({ namesTests }) => namesTests) ? [] : allTests),
  ];
}

/** A folder becomes the pattern of the tests in it: Node takes files and patterns only. */
async function readArgument(argument: string): Promise<{ argument: string; namesTests: boolean }> {
  if (argument.startsWith('-')) return { argument, namesTests: false };
  if (argument.includes('*')) return { argument, namesTests: true };
  const found = await stat(join(root, argument)).catch(() => undefined);
  if (found?.isDirectory()) return { argument: join(argument, '**/*.test.ts'), namesTests: true };
  if (found !== undefined && argument.endsWith('.test.ts')) return { argument, namesTests: true };
  if (!argument.endsWith('.ts')) return { argument, namesTests: false }; // the value of an option
  throw new SetupError(
    found ? `${argument} is no test: the names of tests end with .test.ts.` : `There is no file ${argument}.`,
  );
}
