// `npm run bench:memory`: how much memory kube-git takes, on a real API server and real git, as a table for docs/memory.md.
// Runs the bundled program, as the image does. Takes a minute or two; needs Linux. Nothing is left behind.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { bundle } from '../hack/bundle.ts';
import { messageOf } from '../src/errors.ts';
import { startControlPlane } from '../test/env/control-plane.ts';
import { installCrds } from '../test/env/crds.ts';
import { startForge } from '../test/env/forge.ts';
import { gitEnvironment, runGit } from '../test/env/git-repository.ts';
import type { Repository } from '../test/env/git-server.ts';
import { type KubeGit, startKubeGit, webhookSecret } from '../test/env/kube-git.ts';
import { Leftovers } from '../test/env/leftovers.ts';
import { freePort } from '../test/env/ports.ts';
import { startProcess, untilExit } from '../test/env/processes.ts';
import { bytesOf, fillRepository, largeRepository } from './large-repository.ts';
import { createGitHooks, type Load, push } from './load.ts';
import { bytesIn, settled, watchFolder, watchTree } from './process-memory.ts';

const root = join(import.meta.dirname, '..');
/** Twice what it takes on two busy cores: a run that hangs must end. */
const timeLimitMs = 170_000;
const pushes = 200;
const mebibyte = 1024 * 1024;

const manifest = `apiVersion: batch/v1
kind: Job
metadata: { name: build }
spec:
  template: { spec: { restartPolicy: Never, containers: [{ name: build, image: busybox }] } }
`;

const leftovers = new Leftovers();
process.exitCode = await main(AbortSignal.timeout(timeLimitMs))
  .catch((error: unknown) => {
    console.error(`kube-git: ${messageOf(error)}`);
    return 1;
  })
  .finally(() => leftovers.end());

async function main(signal: AbortSignal): Promise<number> {
  const start = performance.now();
  console.log(`Node ${process.version}, ${await runGit('/', ['--version'])}, Linux ${process.arch}`);
  console.log(`${availableParallelism()} × ${cpus()[0]?.model}, ${(totalmem() / 1024 ** 3).toFixed(0)} GiB\n`);
  const folder = await mkdtemp(join(tmpdir(), 'kube-git-memory-'));
  leftovers.after(() => rm(folder, { recursive: true, force: true }));
  const { file: program } = await bundle(join(folder, 'kube-git.mjs'));
  const plane = await startControlPlane({ signal });
  leftovers.after(() => plane.stop());
  await installCrds(plane, join(root, 'install/crds'));
  const forge = await startForge({ secret: webhookSecret });
  leftovers.after(() => forge.stop());
  const env = { TMPDIR: join(folder, 'tmp') };
  await mkdir(env.TMPDIR);
  const profilePort = await freePort();
  const common = { kubeconfig: plane.kubeconfig, program, env };
  const args = ['-profile-port', `${profilePort}`];
  const kubeGit = await startKubeGit(leftovers, { ...common, args });
  await forge.addWebhook(`${kubeGit.url}/github`);
  const load = { cluster: plane, forge, signal };
  await measureHolding(load, kubeGit);
  const repository = await makeLargeRepository(load);
  const measured = { load, repository, temporary: env.TMPDIR };
  const costs = { 'kube-git, one push': await measurePush(measured, kubeGit) };
  await measureSnapshot(kubeGit, profilePort);
  await kubeGit.stop('SIGTERM');
  const withGit = await startKubeGit(leftovers, { ...common, port: kubeGit.port, args: ['-fetch=git'] });
  tellFetching({
    ...costs,
    'kube-git -fetch=git, one push': await measurePush(measured, withGit),
    'git clone --depth=1': await watchClone(repository, join(folder, 'shallow'), ['--depth=1']),
    'git clone': await watchClone(repository, join(folder, 'clone'), []),
  });
  console.log(`\n${((performance.now() - start) / 1000).toFixed(0)} s`);
  return 0;
}

async function measureHolding(load: Load, kubeGit: KubeGit): Promise<void> {
  const tell = async (what: string): Promise<void> => {
    const { resident, peak } = await settled(kubeGit.pid);
    row([what, mib(resident), mib(peak)]);
  };
  row(['kube-git', 'resident', 'most so far']);
  row(['---', '---', '---']);
  await tell('started, no GitHook');
  await createGitHooks(load, { from: 0, to: 100 });
  await tell('100 GitHooks');
  await createGitHooks(load, { from: 100, to: 1_000 });
  await tell('1,000 GitHooks');
  const repository = await load.forge.createRepository('acme/small');
  await repository.commit({ 'job.yaml': manifest });
  await createGitHooks(load, { from: 0, to: 1, repository });
  await push(load, repository, pushes);
  await tell(`and ${pushes} pushes`);
  await push(load, repository, pushes);
  await tell(`and ${pushes} more`);
}

async function makeLargeRepository(load: Load): Promise<Repository> {
  const repository = await load.forge.createRepository('acme/large');
  const manifests = () => ({ 'job.yaml': manifest });
  await fillRepository(repository.path, { ...largeRepository, manifests }, load.signal);
  await createGitHooks(load, { from: 1, to: 2, repository });
  return repository;
}

interface Measured {
  readonly load: Load;
  readonly repository: Repository;
  /** Where kube-git puts what it fetches. */
  readonly temporary: string;
}

async function measurePush({ load, repository, temporary }: Measured, kubeGit: KubeGit): Promise<Cost> {
  const [memory, disk] = [watchTree(kubeGit.pid), watchFolder(temporary)];
  await push(load, repository, 1);
  const { children } = await memory.stop();
  return { memory: children, disk: (await disk.stop()).bytes, ms: untilCreated(kubeGit) };
}

function tellFetching(costs: Readonly<Record<string, Cost>> & { readonly 'git clone': Cost }): void {
  const { files, laterCommits } = largeRepository;
  const size = mib(bytesOf(largeRepository));
  console.log(`\nA repository of ${size} in ${laterCommits + 1} commits, ${files} files a commit:\n`);
  row(['', 'memory of git', 'disk', 'time']);
  row(['---', '---', '---', '---']);
  const clone = costs['git clone'];
  for (const [what, cost] of Object.entries(costs)) {
    row([
      what,
      `${mib(cost.memory)}, ${ratio(cost.memory, clone.memory)}`,
      `${kib(cost.disk)}, ${ratio(cost.disk, clone.disk)}`,
      `${(cost.ms / 1000).toFixed(2)} s, ${ratio(cost.ms, clone.ms)}`,
    ]);
  }
}

/** Last, because what it takes stays taken. */
async function measureSnapshot(kubeGit: KubeGit, port: number): Promise<void> {
  const before = await settled(kubeGit.pid);
  const start = performance.now();
  const snapshot = await fetch(`http://127.0.0.1:${port}/heap-snapshot`, { method: 'POST' });
  const { byteLength } = await snapshot.arrayBuffer();
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const { peak } = await settled(kubeGit.pid);
  console.log(
    `\nA heap snapshot then: ${mib(byteLength)} in ${seconds} s; from ${mib(before.resident)} to ${mib(peak)}.`,
  );
}

interface Cost {
  /** The most at one moment, in bytes. */
  readonly memory: number;
  readonly disk: number;
  readonly ms: number;
}

/** From the answer to the last delivery until its Job was there: the fetch, and two requests to the API server. */
function untilCreated({ lines }: KubeGit): number {
  const time = (msg: string): number => Date.parse(String(lines.findLast((line) => line.msg === msg)?.['time']));
  return time('resource created') - time('delivery answered');
}

async function watchClone(repository: Repository, to: string, options: readonly string[]): Promise<Cost> {
  const args = ['clone', '--quiet', ...options, repository.url, to];
  const start = performance.now();
  const running = await startProcess({ name: 'git clone', file: 'git', args, cwd: root, env: gitEnvironment() });
  const watching = watchTree(running.pid);
  const { code } = await untilExit(running);
  const ms = performance.now() - start;
  const { together } = await watching.stop();
  if (code !== 0) throw new Error(`git clone ended with ${code}`);
  return { memory: together, disk: await bytesIn(to), ms };
}

function row(cells: readonly string[]): void {
  console.log(`| ${cells.join(' | ')} |`);
}

function mib(bytes: number): string {
  return `${(bytes / mebibyte).toFixed(0)} MiB`;
}

function kib(bytes: number): string {
  return bytes < mebibyte ? `${(bytes / 1024).toFixed(0)} KiB` : mib(bytes);
}

/** As a share, of two digits. */
function ratio(part: number, whole: number): string {
  const percent = (100 * part) / whole;
  return `${percent < 10 ? percent.toPrecision(2) : percent.toFixed(0)} %`;
}
