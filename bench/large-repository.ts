// A large repository, made on the spot: random files, which do not compress, and a history that changes some of them.
// Called by bench/memory.ts.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { gitEnvironment } from '../test/env/git-repository.ts';

const files = 1_500;
const fileBytes = 32 * 1024;
const laterCommits = 50;
const filesACommit = 30;

/** What it holds, for the table: about 94 MiB in 51 commits. */
export const largeRepository = {
  bytes: (files + laterCommits * filesACommit) * fileBytes,
  commits: laterCommits + 1,
  files,
};

/** Fills the bare repository at `path`, branch main, by `git fast-import` (git-fast-import(1)); `manifest` is job.yaml in every commit. */
export async function fillRepository(path: string, manifest: string): Promise<void> {
  const child = spawn('git', ['fast-import', '--quiet'], {
    cwd: path,
    env: gitEnvironment(),
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const exit = once(child, 'exit');
  await writeCommit(child.stdin, 0, [['job.yaml', Buffer.from(manifest)], ...randomFiles(0, files)]);
  for (let commit = 1; commit <= laterCommits; commit++) {
    await writeCommit(child.stdin, commit, randomFiles((commit * filesACommit) % files, filesACommit));
  }
  child.stdin.end('done\n');
  const [code] = await exit;
  if (code !== 0) throw new Error(`git fast-import ended with ${code}`);
}

type NamedFile = readonly [name: string, content: Buffer];

function* randomFiles(from: number, count: number): Generator<NamedFile> {
  for (let at = from; at < from + count; at++) {
    const index = at % files;
    yield [`folder-${Math.floor(index / 50)}/file-${index}.bin`, randomBytes(fileBytes)];
  }
}

async function writeCommit(to: Writable, number: number, changes: Iterable<NamedFile>): Promise<void> {
  const message = `commit ${number}`;
  to.write(`commit refs/heads/main\ncommitter Ada Test <ada@example.com> ${1_700_000_000 + number} +0000\n`);
  to.write(`data ${message.length}\n${message}\n`);
  for (const [name, content] of changes) {
    to.write(`M 100644 inline ${name}\ndata ${content.length}\n`);
    to.write(content);
    if (!to.write('\n')) await once(to, 'drain');
  }
}
