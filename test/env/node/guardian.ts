// The process that clears a cluster away when this one lets go of it or ends, in whatever way: stop(), Ctrl-C, an
// uncaught exception, SIGKILL. It lives in a session of its own, so that no signal of a terminal reaches it. Only where
// it is killed too, the next start has something to clear (leftovers.ts). `node guardian.ts NAME PATH` is that process.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { removeRun } from './leftovers.ts';
import type { RunFolder } from './run-folder.ts';

export interface Guardian {
  /** Clears away. Call it when the sandbox has ended. Throws what could not be removed. */
  release(): Promise<void>;
}

export async function startGuardian(folder: RunFolder): Promise<Guardian> {
  const args = [import.meta.filename, folder.name, folder.path];
  const child = spawn(process.execPath, args, { detached: true, stdio: ['pipe', 'ignore', 'pipe'], cwd: '/' });
  const ended = once(child, 'exit');
  const said = text(child.stderr);
  await once(child, 'spawn');
  const release = async () => {
    child.stdin.end();
    const [code] = await ended;
    if (code !== 0) throw new Error(`cannot remove the cluster's files in ${folder.path}: ${await said}`);
  };
  return { release };
}

/** Waits for the end of its input, which the owner's end closes at the latest. */
async function guard(name: string, path: string): Promise<void> {
  process.stdin.resume();
  await once(process.stdin, 'end');
  await removeRun({ name, path });
}

if (import.meta.main) {
  const [name = '', path = ''] = process.argv.slice(2);
  await guard(name, path);
}
