// `npm test [-- FILES, FOLDERS or node --test options]`: starts a real control plane, runs the tests against it, ends it.
// Tests find it through test/env/cluster.ts. The control plane is built first where it is missing (minutes, once).
import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { binary, isAtHand } from '../test/env/binaries.ts';
import { type ControlPlane, startControlPlane } from '../test/env/control-plane.ts';
import { installCrds } from '../test/env/crds.ts';
import { startProcess, untilExit } from '../test/env/processes.ts';
import { SetupError } from '../test/env/setup-error.ts';

const root = join(import.meta.dirname, '..');
const allTests = ['src/**/*.test.ts', 'test/**/*.test.ts', 'hack/**/*.test.ts'];
/** Far above the slowest test here, and low enough that one that hangs names itself before a CI job is cancelled. */
const testTimeoutMs = 120_000;
/** What tests need of the controller manager: nothing that wants a node or a cloud. */
const controllers = [
  'garbage-collector-controller',
  'job-controller',
  'namespace-controller',
  'resourcequota-controller',
  'root-ca-certificate-publisher-controller',
  'serviceaccount-controller',
  'ttl-after-finished-controller',
];
const longSetUpMs = 1_000;

const exitCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 }; // as shells count

/** Aborted by the first of these signals; a second one ends us at once, and our children with us. */
const stopping = new AbortController();
for (const [signal, code] of Object.entries(exitCodes)) process.once(signal, () => stopping.abort(code));

process.exitCode = await main(stopping.signal).catch((error: unknown) => {
  if (stopping.signal.aborted) return stopping.signal.reason as number;
  console.error(error instanceof SetupError ? `kube-git: ${error.message}` : error);
  return 1;
});

async function main(signal: AbortSignal): Promise<number> {
  const start = performance.now();
  const tests = await nodeArguments(process.argv.slice(2));
  await checkGit();
  await binary('kube-apiserver', { signal });
  const withControllers = await isAtHand('kube-controller-manager');
  const plane = await startControlPlane({ signal });
  try {
    await installCrds(plane, join(root, 'install/crds'));
    if (withControllers) await plane.startControllerManager(controllers);
    const took = performance.now() - start;
    if (took > longSetUpMs) console.error(`The control plane was ready after ${(took / 1000).toFixed(1)} s.`);
    return await runTests(tests, { plane, withControllers, signal });
  } finally {
    await plane.stop();
  }
}

interface TestRun {
  readonly plane: ControlPlane;
  readonly withControllers: boolean;
  readonly signal: AbortSignal;
}

async function runTests(args: readonly string[], { plane, withControllers, signal }: TestRun): Promise<number> {
  const tests = await startProcess({
    name: 'node --test',
    file: process.execPath,
    args,
    cwd: root,
    env: {
      ...process.env,
      KUBEGIT_TEST_KUBECONFIG: plane.kubeconfig,
      KUBEGIT_TEST_CONTROLLERS: String(withControllers),
    },
  });
  const stop = (): void => void tests.stop();
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  const ended = await untilExit(tests);
  signal.throwIfAborted();
  return ended.code ?? exitCodes.SIGTERM;
}

/** What was given, after our defaults; all tests where no file was named. */
async function nodeArguments(given: readonly string[]): Promise<string[]> {
  const read = await Promise.all(given.map(readArgument));
  return [
    '--test',
    '--test-reporter=spec',
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

async function checkGit(): Promise<void> {
  await promisify(execFile)('git', ['--version']).catch(() => {
    throw new SetupError('git is needed: install it (Debian: apt-get install git), then start again.');
  });
}
