// What the programs of a node see where they insist on fixed paths: folders of the machine are covered by empty ones
// and kernel settings by files, inside the sandbox only. The machine keeps its /var/lib/kubelet, its /run/containerd
// and its kernel settings.
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { run } from './command.ts';
import type { Sandbox } from './sandbox.ts';

// /run: containerd's shim sockets, the pods' network namespaces; /var/log: links to the pods' logs;
// /var/lib: kubelet's device plugin sockets, the CNI cache.
const covered = ['/run', '/var/log', '/var/lib'];

// kubelet sets these at its start and would change the whole machine (kubelet/pkg/util/sysctl). It sets none that has
// the value already, so it is shown files that have.
const kernelSettings = {
  'vm/overcommit_memory': 1,
  'vm/panic_on_oom': 0,
  'kernel/panic': 10,
  'kernel/panic_on_oops': 1,
  'kernel/keys/root_maxkeys': 1_000_000,
  'kernel/keys/root_maxbytes': 25_000_000,
} as const;

// Volumes that kubelet mounts must be seen by containers that are already there, hence "shared" (inside the sandbox).
const script = `
settings=$1; shift
mount --make-rshared /
for folder; do mount -t tmpfs -o mode=755 kubegit "$folder"; done
cd "$settings"
for file in */* */*/*; do if [ -f "$file" ] && [ -e "/proc/sys/$file" ]; then mount --bind "$file" "/proc/sys/$file"; fi; done
`;

/** Covers the folders and settings. `keep` are paths that must stay visible. Throws when one lies in a covered folder. */
export async function coverPaths(
  sandbox: Sandbox,
  options: { folder: string; keep: readonly string[] },
): Promise<void> {
  for (const path of options.keep) requireVisible(path);
  const settings = join(options.folder, 'kernel-settings');
  for (const [name, value] of Object.entries(kernelSettings)) {
    await mkdir(join(settings, name, '..'), { recursive: true });
    await writeFile(join(settings, name), `${value}\n`);
  }
  await run(sandbox.enter(['sh', '-ec', script, basename(import.meta.filename), settings, ...covered]));
}

function requireVisible(path: string): void {
  const folder = covered.find((name) => path.startsWith(`${name}/`));
  if (folder === undefined) return;
  throw new Error(`a node cannot use ${path}: set TMPDIR and XDG_CACHE_HOME to folders outside of ${folder}`);
}
