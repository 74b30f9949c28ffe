// Memory of processes as Linux tells it in /proc (proc_pid_status(5)). Called by bench/memory.ts. Resident memory: pages that
// several processes share count in each. And the files a process has for a moment, in its own temporary folder.
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** In bytes. */
export interface Memory {
  readonly resident: number;
  /** The most it ever was. */
  readonly peak: number;
}

/** What one process has; undefined when it is gone or only a zombie. */
export async function memoryOf(pid: number): Promise<Memory | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const bytes = (field: string): number | undefined => {
    const [, kibibytes] = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status) ?? [];
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
  };
  const [resident, peak] = [bytes('VmRSS'), bytes('VmHWM')];
  return resident === undefined || peak === undefined ? undefined : { resident, peak };
}

const settleEveryMs = 250;
const settledWithin = 0.01;
const settleTries = 24; // 6 s

/** The resident memory once it has not moved by more than 1 % for a second; the last one when it goes on moving. */
export async function settled(pid: number): Promise<Memory> {
  const seen: Memory[] = [];
  for (let left = settleTries; left > 0; left--) {
    const now = await memoryOf(pid);
    if (!now) throw new Error(`process ${pid} has ended`);
    seen.push(now);
    const last = seen.slice(-4).map(({ resident }) => resident);
    if (last.length === 4 && Math.max(...last) - Math.min(...last) < settledWithin * now.resident) return now;
    await delay(settleEveryMs);
  }
  return seen.at(-1) ?? { resident: 0, peak: 0 };
}

export interface Watching<Name extends string> {
  /** Ends it; the most that each figure was at one moment, in bytes. */
  stop(): Promise<Readonly<Record<Name, number>>>;
}

const watchEveryMs = 5; // git's shorter moments are caught by each process's own peak

/** Watches a process and everything it starts. A child that is still a copy of the process, before its exec, is no child yet. */
export function watchTree(pid: number): Watching<'own' | 'children' | 'together'> {
  const program = readlink(`/proc/${pid}/exe`).catch(() => '');
  return watch(async () => {
    const copied = await program;
    const own = (await memoryOf(pid))?.resident ?? 0;
    const peaks = await Promise.all((await descendants(pid)).map((child) => peakOfOther(child, copied)));
    const children = peaks.reduce((sum, peak) => sum + peak, 0);
    return { own, children, together: own + children };
  });
}

/** Watches the files of a folder. */
export function watchFolder(folder: string): Watching<'bytes'> {
  return watch(async () => ({ bytes: await bytesIn(folder) }));
}

function watch<Name extends string>(look: () => Promise<Readonly<Record<Name, number>>>): Watching<Name> {
  const ended = new AbortController();
  const loop = async (): Promise<Record<Name, number>> => {
    const most: Record<Name, number> = { ...(await look()) };
    while (!ended.signal.aborted) {
      await delay(watchEveryMs);
      const now = await look();
      for (const name of Object.keys(now) as Name[]) most[name] = Math.max(most[name], now[name]);
    }
    return most;
  };
  const running = loop();
  return {
    stop: () => {
      ended.abort();
      return running;
    },
  };
}

/** All files below a folder; what goes away meanwhile counts as nothing. */
export async function bytesIn(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const sizes = names.map(async (name) => {
    const stats = await lstat(join(folder, name)).catch(() => undefined);
    return stats?.isFile() ? stats.size : 0;
  });
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

async function peakOfOther(pid: number, program: string): Promise<number> {
  const own = await readlink(`/proc/${pid}/exe`).catch(() => program);
  return own === program ? 0 : ((await memoryOf(pid))?.peak ?? 0);
}

/** Every thread's list of the children it started (CONFIG_PROC_CHILDREN), all the way down. */
async function descendants(pid: number): Promise<number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => '')),
  );
  const children = lists.flatMap((list) => list.split(' ').filter(Boolean).map(Number));
  return [...children, ...(await Promise.all(children.map(descendants))).flat()];
}
