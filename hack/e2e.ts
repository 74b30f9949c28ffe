// `npm run e2e [-- FILES or FOLDERS]`: the tests on a Kubernetes node with real pods, with real Argo Workflows, a real Gitea
// and our own image, one suite after another. Linux, root. Builds what is missing first: 15 minutes on two cores, once.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { argo } from '../test/env/argo/programs.ts';
import { binary } from '../test/env/binaries.ts';
import { builtFolder } from '../test/env/build.ts';
import { gitea } from '../test/env/gitea/programs.ts';
import { SetupError } from '../test/env/setup-error.ts';
import { root, runNodeTests, runProgram } from './run-tests.ts';

/** The parts first: when one of them is broken, its own tests say so best. */
const suites = [
  'test/env/node',
  'test/env/argo',
  'test/corpus',
  'test/env/gitea',
  'src/notifier/gitea.test.ts',
  'hack/image/image.test.ts',
  'test/e2e-cluster',
];
/** Of one test: a Workflow takes 20 s here, the image a minute; a machine with much else to do is many times slower. */
const testTimeoutMs = 900_000;
/** See CONTRIBUTING.md: these tests are skipped elsewhere. */
const wantsAll = { KUBEGIT_TEST_NODE: '1', KUBEGIT_TEST_GITEA: '1', KUBEGIT_TEST_CORPUS: '1' };

await runProgram(main);

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
    // One file at a time: each cluster wants the machine for itself.
    const args = ['--test-concurrency=1', `--test-timeout=${testTimeoutMs}`, patterns[index] ?? suite];
    if ((await runNodeTests({ args, env: wantsAll, signal })) !== 0) failed.push(suite);
  }
  if (failed.length === 0) return 0;
  console.error(`\nFailed: ${failed.join(', ')}. Once more: npm run e2e -- ${failed.join(' ')}`);
  return 1;
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
