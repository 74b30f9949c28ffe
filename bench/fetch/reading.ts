// Reads with kube-git, in a process that is told what to read. Called by bench/groups/fetch.ts.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileAtCommit } from '../../src/git/git.ts';
import { gitEnvironment } from '../../test/env/git-repository.ts';
import type { Bench } from '../group.ts';
import { memoryOf, watchFolder, watchTree } from '../process-memory.ts';
import type { Subject } from './measuring.ts';
import type { Answer } from './reader.ts';
import { type Filled, manifestOf, manifestPaths } from './repositories.ts';

export interface ReadingOptions {
  readonly repository: Filled;
  readonly way: keyof typeof manifestPaths;
  /** Where the repository is to be had. */
  readonly url: string;
  /** For temporary files; is made. */
  readonly folder: string;
  readonly bench: Bench;
}

/** Before those that are timed: they load and compile what all others find, and show what a read starts and writes. */
const watchedReads = 3;

/** Commits of which each read takes one, and none twice: kube-git remembers what it has read. */
export function commitsNeeded(repeats: number): number {
  return watchedReads + repeats;
}

/** With a process of its own. The memory is the most that it has ever taken, and what it started in the reads before. */
export async function startReading({ repository, way, url, folder, bench }: ReadingOptions): Promise<Subject> {
  const { signal, repeats } = bench;
  await mkdir(folder);
  const child = fork(join(import.meta.dirname, 'reader.ts'), [folder], { env: gitEnvironment(), signal });
  const end = () => ended(child);
  bench.after(end);
  const pid = child.pid ?? 0;
  const read = reading(asking(child), { repository, way, url });
  const before = [];
  for (let number = 0; number < watchedReads; number++) before.push(await watching(read, pid, folder));
  const children = Math.max(...before.map((most) => most.children));
  const memory: number[] = [];
  const time = async (): Promise<number> => {
    const ms = await read();
    memory.push((await peakOf(pid)) + children);
    return ms;
  };
  const disk = before.map((most) => most.disk);
  return { size: repository.size, way, repeats, time, most: async () => ({ memory, disk }), end };
}

/** Reads one commit after another, each in full and right. */
function reading(
  ask: ReturnType<typeof asking>,
  { repository, way, url }: Pick<ReadingOptions, 'repository' | 'way' | 'url'>,
): () => Promise<number> {
  let commit = 0;
  return async () => {
    const id = repository.commits[++commit];
    if (id === undefined) throw new Error('more reads than commits');
    const answer = await ask({ url, commit: id, ref: 'refs/heads/main', path: manifestPaths[way] });
    if ('failure' in answer) throw new Error(`kube-git does not read: ${answer.failure}`);
    if (answer.text !== manifestOf(commit)) throw new Error(`kube-git reads something else than commit ${commit} has`);
    return answer.ms;
  };
}

async function peakOf(pid: number): Promise<number> {
  const memory = await memoryOf(pid);
  if (!memory) throw new Error('the reader has ended');
  return memory.peak;
}

async function ended(child: ChildProcess): Promise<void> {
  const gone = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
  if (child.connected) child.disconnect();
  await gone;
}

/** Asks one thing at a time; rejects when the process ends. */
function asking(child: ChildProcess): (file: FileAtCommit) => Promise<Answer> {
  const gone = new AbortController();
  child.on('error', (error) => gone.abort(error));
  child.on('exit', () => gone.abort(new Error('the reader has ended')));
  return async (file) => {
    const answered = once(child, 'message', { signal: gone.signal });
    if (child.connected) child.send(file);
    const [answer] = (await answered.catch((error: unknown) => {
      throw gone.signal.aborted ? gone.signal.reason : error;
    })) as [Answer];
    return answer;
  };
}

/** What it starts takes so much memory at most, what it writes so much of disk; in bytes. */
async function watching(work: () => Promise<unknown>, pid: number, folder: string) {
  const [tree, files] = [watchTree(pid), watchFolder(folder)];
  const stop = () => Promise.all([tree.stop(), files.stop()]);
  await work().finally(stop);
  const [{ children }, { bytes: disk }] = await stop();
  return { children, disk };
}
