// The folder below which all temporary folders of one process lie, so that what a killed process left can be told from
// what a living one uses. Called by main, once.
import { lstat, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface Workspace {
  readonly directory: string;
  /** Writes a file that lives as long as the folder; returns its path. */
  write(name: string, text: string): Promise<string>;
  /** Removes it with all that is in it. */
  close(): Promise<void>;
}

/** kube-git-<process id>-<six random characters>. */
const name = /^kube-git-(\d+)-[A-Za-z0-9]{6}$/;

/** Makes the folder below `parent` (mode 0700) and removes those whose process is gone. */
export async function openWorkspace(parent: string): Promise<Workspace> {
  for (const entry of await readdir(parent)) {
    const folder = join(parent, entry);
    if (await isLeftover(folder, entry)) await rm(folder, { recursive: true, force: true });
  }
  const directory = await mkdtemp(join(parent, `kube-git-${process.pid}-`));
  const write = async (file: string, text: string): Promise<string> => {
    const path = join(directory, file);
    await writeFile(path, text, { mode: 0o600, flag: 'wx' });
    return path;
  };
  return { directory, write, close: () => rm(directory, { recursive: true, force: true }) };
}

async function isLeftover(folder: string, entry: string): Promise<boolean> {
  const pid = Number(name.exec(entry)?.[1]);
  if (Number.isNaN(pid) || (isAlive(pid) && pid !== process.pid)) return false;
  const stats = await lstat(folder).catch(() => undefined);
  return stats?.isDirectory() === true && stats.uid === process.getuid?.();
}

/** In a container each life of kube-git has the same process id: what bears ours is from an earlier one. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
