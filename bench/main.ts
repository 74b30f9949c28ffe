// `npm run bench [-- group …]`: how fast kube-git is and what it takes, beside references measured in the same run. Prints a table
// and says which step got worse since the figures were kept. Needs Linux. Ends by itself and leaves nothing behind.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle } from '../hack/bundle.ts';
import { runProgram } from '../hack/run-tests.ts';
import { checkGit } from '../hack/test-cluster.ts';
import { messageOf } from '../src/errors.ts';
import { type ControlPlane, startControlPlane } from '../test/env/control-plane.ts';
import { installCrds } from '../test/env/crds.ts';
import { Leftovers } from '../test/env/leftovers.ts';
import type { Bench, Group } from './group.ts';
import { groups } from './groups/registry.ts';
import { readKept, writeKept } from './kept.ts';
import { machine } from './machine.ts';
import { type Options, parseOptions, usage } from './options.ts';
import { writePage } from './page.ts';
import { grown, type Measured, type Results } from './results.ts';
import { tableOf } from './table.ts';

const crds = join(import.meta.dirname, '../install/crds');
const names = groups.map(({ name }) => name);

await runProgram(main);

async function main(signal: AbortSignal): Promise<number> {
  const options = read(process.argv.slice(2));
  if (options === undefined) return 2;
  await checkGit();
  const start = new Date();
  const common = { date: start.toISOString().slice(0, 10), machine: await machine(), command: commandOf(options) };
  console.log(`${common.machine}\n`);
  const leftovers = new Leftovers();
  try {
    const wanted = groups.filter(({ name }) => options.only.length === 0 || options.only.includes(name));
    return await conclude({ ...common, groups: await measureAll(wanted, options, leftovers, signal) }, options);
  } finally {
    await leftovers.end();
  }
}

async function measureAll(
  wanted: readonly Group[],
  { repeats, size }: Options,
  leftovers: Leftovers,
  signal: AbortSignal,
): Promise<readonly Measured[]> {
  const folder = await mkdtemp(join(tmpdir(), 'kube-git-bench-'));
  leftovers.after(() => rm(folder, { recursive: true, force: true }));
  const { file: program } = await bundle(join(folder, 'kube-git.mjs'));
  let plane: Promise<ControlPlane> | undefined;
  const cluster = (): Promise<ControlPlane> => (plane ??= startCluster(leftovers, signal));
  const measured: Measured[] = [];
  for (const group of wanted) {
    signal.throwIfAborted();
    const own = join(folder, group.name);
    await mkdir(own);
    measured.push(await measure(group, { repeats, size, folder: own, program, cluster, signal }));
  }
  return measured;
}

async function startCluster(leftovers: Leftovers, signal: AbortSignal): Promise<ControlPlane> {
  const plane = await startControlPlane({ signal, output: { write: (text) => process.stdout.write(text) } });
  leftovers.after(() => plane.stop());
  await installCrds(plane, crds);
  return plane;
}

async function measure(group: Group, bench: Omit<Bench, 'after' | 'tell'>): Promise<Measured> {
  const { name, title, measure } = group;
  console.log(`\n== ${name}: ${title} (${new Date().toISOString().slice(11, 19)})`);
  const leftovers = new Leftovers();
  const start = performance.now();
  try {
    const figures = await measure({ ...bench, after: (fn) => leftovers.after(fn), tell: (line) => console.log(line) });
    console.log(`\n${tableOf(figures)}`);
    return { name, title, seconds: Math.round((performance.now() - start) / 1000), figures };
  } finally {
    await leftovers.end();
  }
}

/** Keeps the figures where that is asked for; else says what got worse. The exit code. */
async function conclude(results: Results, { keep, size }: Options): Promise<number> {
  const kept = await readKept();
  if (keep) {
    await writePage(await writeKept(results, kept));
    console.log('\nKept in docs/performance.json and docs/performance.md.');
    return 0;
  }
  if (kept === undefined || size < 1) return 0;
  const worse = grown(results, kept);
  for (const { group, figure, before, now } of worse) {
    console.error(`GREW ${group}: ${figure}: ${before.toPrecision(3)} → ${now.toPrecision(3)}`);
  }
  console.log(`\n${worse.length === 0 ? 'Nothing' : worse.length} got worse than on ${kept.date}.`);
  return worse.length === 0 ? 0 : 1;
}

/** Whatever groups: what is kept of the others was made by the same. */
function commandOf({ repeats, size }: Options): string {
  const args = [...(repeats === 20 ? [] : [`--repeats ${repeats}`]), ...(size === 1 ? [] : [`--size ${size}`])];
  return ['npm run bench', ...(args.length > 0 ? ['--', ...args] : [])].join(' ');
}

function read(argv: readonly string[]): Options | undefined {
  try {
    return parseOptions(argv, names);
  } catch (error) {
    console.error(`${messageOf(error)}\n\n${usage.replace('GROUPS', names.join(', '))}`);
    return undefined;
  }
}
