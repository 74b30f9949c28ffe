// `npm run e2e [-- FILES or FOLDERS]`: the tests on a Kubernetes node with real pods, with real Argo Workflows, a real Gitea
// and our own image, one suite after another. Linux, root. Builds what is missing first: 15 minutes on two cores, once.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { argo } from '../test/env/argo/programs.ts';
import { binary } from '../test/env/binaries.ts';
import { builtFolder } from '../test/env/build.ts';
import { gitea } from '../test/env/gitea/programs.ts';
import { startProcess, untilExit } from '../test/env/processes.ts';
import { SetupError } from '../test/env/setup-error.ts';

const root = join(import.meta.dirname, '..');
/** The parts first: when one of them is broken, its own tests say so best. */
const suites = [
  'test/env/node',
  'test/env/argo',
  'test/env/gitea',
  'src/notifier/gitea.test.ts',
  'hack/image/image.test.ts',
  'test/e2e-cluster',
];
/** Of one test: a Workflow takes 20 s here, the image a minute; a machine with much else to do is many times slower. */
const testTimeoutMs = 900_000;

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
  requireMachine();
  const given = process.argv.slice(2);
  const chosen = given.length > 0 ? given : suites;
  const patterns = await Promise.all(chosen.map(patternOf));
  const building = { env: process.env, output: process.stderr, signal };
  await binary('kubelet', { signal });
  await builtFolder(argo, building);
  await builtFolder(gitea, building);
  const failed: string[] = [];
  for (const [index, suite] of chosen.entries()) {
    console.log(`\n== ${suite} (${index + 1} of ${chosen.length})`);
    if ((await runTests(patterns[index] ?? suite, signal)) !== 0) failed.push(suite);
  }
  if (failed.length === 0) return 0;
  console.error(`\nFailed: ${failed.join(', ')}. Once more: npm run e2e -- ${failed.join(' ')}`);
  return 1;
}

/** Returns the exit code; throws once stopped. One file at a time: each cluster wants the machine for itself. */
async function runTests(pattern: string, signal: AbortSignal): Promise<number> {
  const tests = await startProcess({
    name: 'node --test',
    file: process.execPath,
    args: ['--test', '--test-reporter=spec', '--test-concurrency=1', `--test-timeout=${testTimeoutMs}`, pattern],
    cwd: root,
    env: { ...process.env, KUBEGIT_TEST_NODE: '1', KUBEGIT_TEST_GITEA: '1' },
  });
  const stop = (): void => void tests.stop();
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  const ended = await untilExit(tests);
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
  return ended.code ?? exitCodes.SIGTERM;
}

function requireMachine(): void {
  const needs = 'npm run e2e starts a Kubernetes node with real pods, which needs';
  if (process.platform !== 'linux') {
    throw new SetupError(`${needs} Linux, this is ${process.platform}: run it on a Linux machine. npm test runs here.`);
  }
  if (process.getuid?.() !== 0) {
    throw new SetupError(`${needs} root (namespaces, cgroups, mounts): run it with sudo. npm test runs without.`);
  }
}

/** A folder becomes the pattern of the tests in it: Node takes files and patterns only. */
async function patternOf(given: string): Promise<string> {
  const found = await stat(join(root, given)).catch(() => undefined);
  if (found === undefined) throw new SetupError(`There is no file or folder ${given}.`);
  return found.isDirectory() ? join(given, '**/*.test.ts') : given;
}
