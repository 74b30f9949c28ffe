// A large repository, made on the spot: random files, which do not compress, and a history that changes some of them.
// Called by bench/memory.ts and bench/fetch/repositories.ts.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { gitEnvironment } from '../test/env/git-repository.ts';

export const fileBytes = 32 * 1024;
/** No folder has more entries, however large the repository is. */
const folderEntries = 50;

export interface Contents {
  /** Random files of the first commit. */
  readonly files: number;
  readonly laterCommits: number;
  /** Files that the later commits change, all of them together. */
  readonly changes: number;
  /** What there is beside the random files: text by path. The first commit has number 0. */
  manifests(commit: number): Readonly<Record<string, string>>;
}

/** About 94 MiB in 51 commits. */
export const largeRepository = { files: 1_500, laterCommits: 50, changes: 1_500 };

/** Of the random files, all their versions. */
export function bytesOf({ files, changes }: Pick<Contents, 'files' | 'changes'>): number {
  return (files + changes) * fileBytes;
}

/**
 * Fills the bare repository at `path`, branch main, by `git fast-import` (git-fast-import(1)). What is random is neither
 * compressed nor compared, and lies in one pack: a gigabyte takes seconds.
 */
export async function fillRepository(path: string, contents: Contents, signal?: AbortSignal): Promise<void> {
  const settings = ['-c', 'core.compression=0', '-c', 'fastimport.unpackLimit=1'];
  const child = spawn('git', [...settings, 'fast-import', '--quiet', '--depth=0'], {
    cwd: path,
    env: gitEnvironment(),
    stdio: ['pipe', 'ignore', 'inherit'],
    ...(signal && { signal }),
  });
  const exit = once(child, 'close');
  const [[code]] = await Promise.all([exit, pipeline(Readable.from(commits(contents)), child.stdin, { signal })]);
  if (code !== 0) throw new Error(`git fast-import ended with ${code}`);
}

type Piece = string | Buffer;
type NamedFile = readonly [name: string, content: Piece];

function* commits(contents: Contents): Generator<Piece> {
  const { files, laterCommits, changes } = contents;
  for (let commit = 0; commit <= laterCommits; commit++) {
    const [from, to] = [commit - 1, commit].map((number) => Math.round((number * changes) / Math.max(laterCommits, 1)));
    yield* commitOf(commit, Object.entries(contents.manifests(commit)));
    yield* changesOf(commit === 0 ? randomFiles(0, files, files) : randomFiles(from ?? 0, to ?? 0, files));
    yield '\n';
  }
  yield 'done\n';
}

function* randomFiles(from: number, to: number, files: number): Generator<NamedFile> {
  for (let at = from; at < to; at++) yield [pathOf(at % files), randomBytes(fileBytes)];
}

function pathOf(index: number): string {
  const folder = Math.floor(index / folderEntries);
  return `part-${Math.floor(folder / folderEntries)}/folder-${folder}/file-${index}.bin`;
}

function* commitOf(number: number, manifests: Iterable<NamedFile>): Generator<Piece> {
  const message = `commit ${number}`;
  yield `commit refs/heads/main\ncommitter Ada Test <ada@example.com> ${1_700_000_000 + number} +0000\n`;
  yield `data ${message.length}\n${message}\n`;
  yield* changesOf(manifests);
}

function* changesOf(files: Iterable<NamedFile>): Generator<Piece> {
  for (const [name, content] of files) {
    yield `M 100644 inline ${name}\ndata ${Buffer.byteLength(content)}\n`;
    yield content;
    yield '\n';
  }
}
