// Clones with git, into a folder that is removed again. Called by bench/groups/fetch.ts.
import { rm } from 'node:fs/promises';
import { gitEnvironment } from '../../test/env/git-repository.ts';
import { type RunningProcess, startProcess, untilExit } from '../../test/env/processes.ts';
import type { Bench } from '../group.ts';
import { bytesIn, watchTree } from '../process-memory.ts';
import type { Most, Subject } from './measuring.ts';
import type { Filled } from './repositories.ts';

export const cloneWays = ['git clone --single-branch', 'git clone --depth=1'] as const;

export interface CloningOptions {
  readonly repository: Filled;
  readonly way: (typeof cloneWays)[number];
  /** Where the repository is to be had. */
  readonly url: string;
  /** To clone into; there is none yet. */
  readonly folder: string;
  /** How often it is timed, and after that watched. */
  readonly repeats: number;
  readonly watched: number;
  readonly bench: Bench;
}

export function cloning(options: CloningOptions): Subject {
  const { repository, way, url, folder, repeats, watched } = options;
  const { signal } = options.bench;
  const args = [...way.split(' ').slice(1), '--quiet', url, folder];
  const start = () => startProcess({ name: way, file: 'git', args, env: gitEnvironment() });
  const time = async (): Promise<number> => {
    const begun = performance.now();
    await ended(await start(), signal);
    const ms = performance.now() - begun;
    await rm(folder, { recursive: true });
    return ms;
  };
  const most = async (): Promise<Most> => {
    const [memory, disk]: [number[], number[]] = [[], []];
    for (let left = watched; left > 0; left--) {
      const running = await start();
      const tree = watchTree(running.pid);
      await ended(running, signal).finally(() => tree.stop());
      memory.push((await tree.stop()).together);
      disk.push(await bytesIn(folder));
      await rm(folder, { recursive: true });
    }
    return { memory, disk };
  };
  const end = () => rm(folder, { recursive: true, force: true });
  return { size: repository.size, way, repeats, time, most, end };
}

/** Ends it, with all it has started, when the signal is aborted; throws then, and when it has failed. */
async function ended(running: RunningProcess, signal: AbortSignal): Promise<void> {
  const stop = (): void => void running.stop('SIGKILL');
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  const { code } = await untilExit(running).finally(() => signal.removeEventListener('abort', stop));
  signal.throwIfAborted();
  if (code !== 0) throw new Error(`${running.name} ended with ${code}`);
}
