// Clears away what clusters of killed processes left: their sandboxes are gone with them, so that is a cgroup and a
// folder each. Called before every start, and by the guardian for its own cluster. Living clusters, and everything not named like ours, are left alone.
import { rm } from 'node:fs/promises';
import { messageOf } from '../../../src/errors.ts';
import { removeCgroup } from './cgroups.ts';
import { deadRunFolders, type RunFolder } from './run-folder.ts';

export async function removeLeftovers(log: (line: string) => void): Promise<void> {
  for (const folder of await deadRunFolders()) {
    log(`removing what a cluster that was killed left: ${folder.path}`);
    await removeRun(folder).catch((error: unknown) => log(`not removed: ${messageOf(error)}`));
  }
}

/** The folder last: it is the record of the rest. */
export async function removeRun(folder: RunFolder): Promise<void> {
  await removeCgroup(folder.name);
  // Retried: programs that are being killed may still write a file.
  await rm(folder.path, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
}
