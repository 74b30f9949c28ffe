// A lock between programs on one machine: a file with the holder's process number. A holder that died does not block.
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isAlive } from './processes.ts';

const askEveryMs = 500;

/**
 * Runs the work while no other program that uses the same lock file does.
 * The signal ends the waiting, not the work. Two that find a dead holder's file at the same moment may both go ahead, so the work must be harmless when done twice.
 */
export async function withLock<T>(path: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  while (!(await take(path))) {
    signal?.throwIfAborted();
    if (await isStale(path)) await rm(path, { force: true });
    else await delay(askEveryMs);
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

async function take(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    await file.writeFile(String(process.pid));
    await file.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function isStale(path: string): Promise<boolean> {
  const holder = await readFile(path, 'utf8').catch(() => '');
  if (holder === '') {
    // Just made and not yet written, or its maker died in between: tell by asking again.
    await delay(askEveryMs);
    return (await readFile(path, 'utf8').catch(() => 'gone')) === '';
  }
  return !isAlive(Number(holder));
}
