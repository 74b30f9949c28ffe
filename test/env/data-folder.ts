// Temporary folders that a killed program cannot leave for ever: each carries its owner's process number, and the next
// one made removes those of owners that are gone.
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive } from './processes.ts';

const prefix = 'kube-git-';

/** A new folder only we can read: <tmp>/kube-git-<what>-<our process>-<random>. */
export async function makeDataFolder(what: string): Promise<string> {
  await sweep();
  return mkdtemp(join(tmpdir(), `${prefix}${what}-${process.pid}-`));
}

async function sweep(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const owner = new RegExp(`^${prefix}[a-z-]+-(\\d+)-\\w{6}$`).exec(name)?.[1];
    if (owner === undefined || isAlive(Number(owner))) continue;
    await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => {}); // another user's
  }
}
