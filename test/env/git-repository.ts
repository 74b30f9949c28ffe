// A bare repository that tests write to with git's plumbing: no work tree, a few milliseconds a commit.
// Made by test/env/git-server.ts. What is written here is no push: onPush is not called.
import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';

/** A file's content and kind; null removes the path. A submodule names the commit it stands at. */
export type Entry =
  | string
  | Uint8Array
  | { readonly executable: string }
  | { readonly symlink: string }
  | { readonly submodule: string }
  | null;

export interface CommitOptions {
  readonly message?: string;
  /** Short name, default main. The commit goes on top of it; a branch that is not there is begun. */
  readonly branch?: string;
  readonly author?: { readonly name: string; readonly email: string };
}

export interface Repository {
  /** The name it was created with, for example acme/app. */
  readonly name: string;
  /** The clone URL, with .git at the end and without credentials. */
  readonly url: string;
  /** The bare repository on disk. */
  readonly path: string;
  /** Writes a commit with these changes on top of the branch; returns its id. */
  commit(files: Readonly<Record<string, Entry>>, options?: CommitOptions): Promise<string>;
  /** Points a branch at any commit, as a force push does. */
  forcePush(branch: string, commit: string): Promise<void>;
  deleteBranch(branch: string): Promise<void>;
  /** Makes a tag; with a message an annotated one. Returns the id the ref points at: of the tag object or of the commit. */
  tag(name: string, target: string, message?: string): Promise<string>;
  /** The id a ref (full name) points at, or undefined. */
  ref(name: string): Promise<string | undefined>;
  /** Full ref → object id, all of them. */
  refs(): Promise<Map<string, string>>;
  /** Any git command in the bare repository; returns what it prints, trimmed. */
  git(args: readonly string[], options?: GitOptions): Promise<string>;
}

export interface GitOptions {
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
}

/** Environment for git in tests: nothing of the developer's own configuration reaches it. */
export function gitEnvironment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    HOME: '/nonexistent',
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: 'Ada Test',
    GIT_AUTHOR_EMAIL: 'ada@example.com',
    GIT_COMMITTER_NAME: 'Ada Test',
    GIT_COMMITTER_EMAIL: 'ada@example.com',
    ...more,
  };
}

/** Runs git in a folder; returns what it prints, trimmed. Throws with its words when it fails. */
export async function runGit(cwd: string, args: readonly string[], options: GitOptions = {}): Promise<string> {
  const child = spawn('git', args, { cwd, env: gitEnvironment(options.env), stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  child.stdin.on('error', () => {}); // a git that ends before it has read everything says why by its exit code
  child.stdin.end(options.input ?? '');
  const [output, words, code] = await Promise.all([buffer(child.stdout), text(child.stderr), ended]);
  if (code !== 0) throw new Error(`git ${args.join(' ')} ended with ${code}: ${words.trim()}`);
  return output.toString('utf8').trim();
}

/** Opens the bare repository at `path`. */
export function openRepository(name: string, url: string, path: string): Repository {
  const git = (args: readonly string[], options?: GitOptions) => runGit(path, args, options);
  const ref = async (full: string) =>
    (await git(['for-each-ref', '--format=%(objectname)', '--count=1', full])) || undefined;
  return {
    name,
    url,
    path,
    git,
    ref,
    refs: () => readRefs(git),
    commit: (files, options = {}) => commit({ git, ref, path }, files, options),
    forcePush: async (branch, id) => void (await git(['update-ref', `refs/heads/${branch}`, id])),
    deleteBranch: async (branch) => void (await git(['update-ref', '-d', `refs/heads/${branch}`])),
    tag: async (tag, target, message) => {
      await git(message === undefined ? ['tag', tag, target] : ['tag', '-a', '-m', message, tag, target]);
      return git(['rev-parse', `refs/tags/${tag}`]);
    },
  };
}

type Plumbing = Pick<Repository, 'git' | 'ref' | 'path'>;

async function readRefs(git: Repository['git']): Promise<Map<string, string>> {
  const lines = (await git(['for-each-ref', '--format=%(objectname) %(refname)'])).split('\n').filter(Boolean);
  return new Map(lines.map((line) => [line.slice(line.indexOf(' ') + 1), line.slice(0, line.indexOf(' '))]));
}

async function commit(
  repository: Plumbing,
  files: Readonly<Record<string, Entry>>,
  options: CommitOptions,
): Promise<string> {
  const { git } = repository;
  const branch = `refs/heads/${options.branch ?? 'main'}`;
  const parent = await repository.ref(branch);
  const tree = await writeTree(repository, parent, files);
  const author = options.author;
  const id = await git(['commit-tree', tree, ...(parent ? ['-p', parent] : [])], {
    input: options.message ?? 'change',
    env: author ? { GIT_AUTHOR_NAME: author.name, GIT_AUTHOR_EMAIL: author.email } : {},
  });
  await git(['update-ref', branch, id]);
  return id;
}

async function writeTree(
  { git, path }: Plumbing,
  parent: string | undefined,
  files: Readonly<Record<string, Entry>>,
): Promise<string> {
  const index = join(path, `index-${crypto.randomUUID()}`);
  const env = { GIT_INDEX_FILE: index };
  await git(['read-tree', ...(parent ? [parent] : ['--empty'])], { env });
  const lines = await Promise.all(Object.entries(files).map(([name, entry]) => indexLine(git, name, entry)));
  await git(['update-index', '-z', '--index-info'], { env, input: lines.join('') });
  const tree = await git(['write-tree'], { env });
  await rm(index, { force: true });
  return tree;
}

/** A line of `git update-index --index-info`; mode 0 removes the path. */
async function indexLine(git: Repository['git'], path: string, entry: Entry): Promise<string> {
  if (entry === null) return `0 ${'0'.repeat(40)}\t${path}\0`;
  if (typeof entry === 'object' && 'submodule' in entry) return `160000 ${entry.submodule}\t${path}\0`;
  const { mode, content } = blobOf(entry);
  return `${mode} ${await git(['hash-object', '-w', '--stdin'], { input: content })}\t${path}\0`;
}

function blobOf(entry: string | Uint8Array | { executable: string } | { symlink: string }) {
  if (typeof entry === 'string' || entry instanceof Uint8Array) return { mode: '100644', content: entry };
  return 'symlink' in entry
    ? { mode: '120000', content: entry.symlink }
    : { mode: '100755', content: entry.executable };
}
