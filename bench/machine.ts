// The machine the figures are of, in a line. Called by main.ts.
import { availableParallelism, cpus, totalmem } from 'node:os';
import { runGit } from '../test/env/git-repository.ts';

export async function machine(): Promise<string> {
  const git = (await runGit('/', ['--version'])).replace(' version', '');
  const memory = `${(totalmem() / 1024 ** 3).toFixed(0)} GiB`;
  const processor = `${availableParallelism()} × ${cpus()[0]?.model.trim() ?? 'unknown'}`;
  return `${processor}, ${memory}, Linux ${process.arch}, Node ${process.version}, ${git}`;
}
