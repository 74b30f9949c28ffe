// The folder of one cluster's files, named after the process that owns it, so that a later run can tell a dead
// cluster's folder from a living one's without trusting any file in it. The name is also that of the cluster's cgroup.
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface RunFolder {
  readonly path: string;
  /** Unique on this machine: `kubegit-node-<pid>-<start of that process>-<random>`. */
  readonly name: string;
}

const pattern = /^kubegit-node-(?<pid>\d+)-(?<started>\d+)-[0-9a-f]+$/;
const randomBytesInName = 4;

/** A new, empty folder owned by this process, that only root can look into (it holds keys). */
export async function createRunFolder(parent = tmpdir()): Promise<RunFolder> {
  const started = await processStart(process.pid);
  const name = `kubegit-node-${process.pid}-${started}-${randomBytes(randomBytesInName).toString('hex')}`;
  const path = join(parent, name);
  await mkdir(path, { mode: 0o700 });
  return { path, name };
}

/** The folders of clusters whose process is gone. */
export async function deadRunFolders(parent = tmpdir()): Promise<readonly RunFolder[]> {
  const names = (await readdir(parent)).filter((name) => pattern.test(name));
  const alive = await Promise.all(names.map(isOwnerAlive));
  return names.filter((_, index) => !alive[index]).map((name) => ({ name, path: join(parent, name) }));
}

async function isOwnerAlive(name: string): Promise<boolean> {
  const { pid, started } = pattern.exec(name)?.groups ?? {};
  return (await processStart(Number(pid))) === started;
}

/** When the process started, in clock ticks since boot; undefined when there is none. Pids come again, both together do not. */
export async function processStart(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // man 5 proc: the second field is the program's name in brackets, which may hold spaces; the start is the 22nd.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
