// `npm test [-- FILES or node --test options]`: starts a real control plane, runs the tests against it, ends it.
// Tests find it through test/env/cluster.ts. The control plane is built first where it is missing (minutes, once).
import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { binary, isAtHand } from '../test/env/binaries.ts';
import { type ControlPlane, startControlPlane } from '../test/env/control-plane.ts';
import { installCrds } from '../test/env/crds.ts';
import { type RunningProcess, startProcess, untilExit } from '../test/env/processes.ts';
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

/** Where the first SIGINT or SIGTERM is heard; a second one ends us at once, and our children with us. */
const stopped = new Promise<NodeJS.Signals>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, resolve);
});

process.exitCode = await main().catch((error: unknown) => {
  console.error(error instanceof SetupError ? `kube-git: ${error.message}` : error);
  return 1;
});

async function main(): Promise<number> {
  const start = performance.now();
  await checkGit();
  await binary('kube-apiserver');
  const withControllers = await isAtHand('kube-controller-manager');
  const plane = await Promise.race([startControlPlane(), stopped]);
  if (typeof plane === 'string') return exitCodeOf(plane);
  try {
    await installCrds(plane, join(root, 'install/crds'));
    if (withControllers) await plane.startControllerManager(controllers);
    const took = performance.now() - start;
    if (took > longSetUpMs) console.error(`The control plane was ready after ${(took / 1000).toFixed(1)} s.`);
    return await runTests(plane, withControllers);
  } finally {
    await plane.stop();
  }
}

async function runTests(plane: ControlPlane, withControllers: boolean): Promise<number> {
  const tests = await startProcess({
    name: 'node --test',
    file: process.execPath,
    args: await nodeArguments(process.argv.slice(2)),
    cwd: root,
    env: {
      ...process.env,
      KUBEGIT_TEST_KUBECONFIG: plane.kubeconfig,
      KUBEGIT_TEST_CONTROLLERS: String(withControllers),
    },
  });
  const ended = await Promise.race([untilExit(tests), stopped]);
  if (typeof ended === 'string') return stop(tests, ended);
  return ended.code ?? exitCodeOf(ended.signal ?? 'SIGTERM');
}

async function stop(tests: RunningProcess, signal: NodeJS.Signals): Promise<number> {
  await tests.stop('SIGTERM');
  return exitCodeOf(signal);
}

/** What was given, after our defaults; all tests where no file was named. */
async function nodeArguments(given: readonly string[]): Promise<string[]> {
  const named = await Promise.all(given.map((argument) => namesTests(argument)));
  return [
    '--test',
    '--test-reporter=spec',
    `--test-timeout=${testTimeoutMs}`,
    // Tests mostly wait for the API server: two at a time keep two cores busy.
    `--test-concurrency=${Math.max(2, availableParallelism())}`,
    ...given,
    ...(named.includes(true) ? [] : allTests),
  ];
}

async function namesTests(argument: string): Promise<boolean> {
  if (argument.startsWith('-')) return false;
  if (argument.endsWith('.test.ts') || argument.includes('*')) return true;
  return access(join(root, argument)).then(
    () => true,
    () => false,
  );
}

async function checkGit(): Promise<void> {
  await promisify(execFile)('git', ['--version']).catch(() => {
    throw new SetupError('git is needed: install it (Debian: apt-get install git), then start again.');
  });
}

/** As shells count: 130 for Ctrl-C. */
function exitCodeOf(signal: NodeJS.Signals): number {
  return { SIGHUP: 129, SIGINT: 130 }[signal as string] ?? 143;
}
