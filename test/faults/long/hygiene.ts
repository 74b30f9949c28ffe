// What a replica holds of the machine: memory, file descriptors, child processes, temporary files. Linux, from /proc.
import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Replica } from './replica.ts';

const mebibyte = 1024 * 1024;
const pageBytes = 4096;

export interface Holding {
  readonly memoryMiB: number;
  readonly files: number;
  /** Processes that it started, also those that a killed life of it left behind. */
  readonly children: number;
  /** Files and folders below its temporary folder's own. */
  readonly temporary: number;
}

/** The cheap part, for looking often. */
export async function usageOf({ pid }: Replica): Promise<Pick<Holding, 'memoryMiB' | 'files'>> {
  const statm = await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => '0 0');
  return {
    memoryMiB: Math.round((Number(statm.split(' ')[1]) * pageBytes) / mebibyte),
    files: (await readdir(`/proc/${pid}/fd`).catch(() => [])).length,
  };
}

export async function holdingOf(replica: Replica): Promise<Holding> {
  const { folder, pid } = replica;
  return {
    ...(await usageOf(replica)),
    children: await processesIn(folder, pid),
    temporary: await entriesIn(join(folder, 'tmp')),
  };
}

/** Processes whose parent it is, or that work in its folder or were told of it; itself not counted. */
async function processesIn(folder: string, pid: number): Promise<number> {
  let count = 0;
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name) || Number(name) === pid) continue;
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    const place = await readlink(`/proc/${name}/cwd`).catch(() => '');
    const told = await readFile(`/proc/${name}/environ`, 'utf8').catch(() => '');
    if (parent === pid || place.startsWith(folder) || told.includes(folder)) count++;
  }
  return count;
}

/** A life of kube-git has one folder; what is in it belongs to fetches under way. */
async function entriesIn(temporary: string): Promise<number> {
  const lives = await readdir(temporary).catch(() => []);
  const inside = await Promise.all(lives.map((life) => readdir(join(temporary, life)).catch(() => [])));
  return lives.length - 1 + inside.flat().length;
}

/** More than at the start that is no leak: connections that are kept open, folders that a write needs once. */
const moreFiles = 20;
/** The Deployment's limit is 1 GiB, git included. */
const memoryLimitMiB = 700;

/** What has not gone back to what it was at the start, in words. */
export function leftOver(name: string, before: Holding, after: Holding): readonly string[] {
  const found: string[] = [];
  if (after.children > before.children)
    found.push(`${name} has ${after.children} child processes (${before.children})`);
  if (after.temporary > before.temporary)
    found.push(`${name} has ${after.temporary} temporary files (${before.temporary})`);
  if (after.files > before.files + moreFiles) found.push(`${name} has ${after.files} open files (${before.files})`);
  if (after.memoryMiB > memoryLimitMiB) found.push(`${name} has ${after.memoryMiB} MiB (${before.memoryMiB})`);
  return found;
}
