// The control group below which kubelet keeps its pods: one per cluster, named like its folder, in every hierarchy.
// Works with cgroup v1 (a folder per controller) and v2 (one folder). Nothing outside that group is touched.
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

const mountPoint = '/sys/fs/cgroup';
// What kubelet wants to find in its root group on v2 (kubelet/pkg/cm, getSupportedUnifiedControllers).
const unifiedControllers = ['cpu', 'cpuset', 'memory', 'hugetlb', 'pids'];

/** Makes the group in every hierarchy of this machine. */
export async function createCgroup(name: string): Promise<void> {
  for (const hierarchy of await hierarchies()) {
    if (hierarchy === mountPoint) await delegateControllers();
    await mkdir(join(hierarchy, name), { recursive: true });
  }
}

/** Removes the group and all below it. Its processes must be gone or going: the kernel is given a moment to forget them. */
export async function removeCgroup(name: string): Promise<void> {
  for (const hierarchy of await hierarchies()) await removeTree(join(hierarchy, name));
}

/** On v2 the mount point itself, on v1 one folder per controller (hybrid: the v2 folder beside them). */
async function hierarchies(): Promise<readonly string[]> {
  const entries = await readdir(mountPoint, { withFileTypes: true });
  if (entries.some((entry) => entry.name === 'cgroup.controllers')) return [mountPoint];
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(mountPoint, entry.name));
}

/** One at a time: the kernel refuses a whole list for one controller it lacks, and kubelet names what it misses. */
async function delegateControllers(): Promise<void> {
  const file = join(mountPoint, 'cgroup.subtree_control');
  const given = (await readFile(file, 'utf8')).trim().split(' ');
  for (const controller of unifiedControllers.filter((name) => !given.includes(name))) {
    await writeFile(file, `+${controller}`).catch(() => undefined);
  }
}

async function removeTree(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await removeTree(join(folder, entry.name));
  await removeEmpty(folder);
}

const attempts = 50;
const pauseMs = 100;

/** A group stays busy until the kernel has taken the last dead process out of it. */
async function removeEmpty(folder: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await rmdir(folder);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return;
      if (code !== 'EBUSY' || attempt === attempts) throw error;
      await setTimeout(pauseMs);
    }
  }
}
