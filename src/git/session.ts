// A private folder with an empty bare repository, and the two ways to run git in it. Called by the manifest source: one a try.
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { proxyFor } from '../proxy.ts';
import { readAnswer, type ServerAnswer } from './answer.ts';
import { type Result, runGit } from './command.ts';
import { type Environment, localEnvironment, remoteEnvironment } from './environment.ts';
import type { Credentials } from './git.ts';
import type { FetchLimits } from './limits.ts';
import { prepareSsh, readReport, type SshReport, sshEnvironment } from './ssh.ts';
import type { Remote } from './validate.ts';

export interface Session {
  /** Runs git where it may not reach the network. */
  local(args: readonly string[], options?: RunOptions): Promise<Result>;
  /** Runs git where the wanted repository is the remote `origin`. */
  remote(args: readonly string[], options?: RunOptions): Promise<Result>;
  /** What the server answered last, where it spoke http. */
  answer(): Promise<ServerAnswer>;
  /** What ssh said, where the repository is reached by it and it was started. */
  report(): Promise<SshReport | undefined>;
  /** Whether git was ended because a pack outgrew `fileBytes`. */
  hasCutPack(fileBytes: number): Promise<boolean>;
  /** Removes the folder. */
  close(): Promise<void>;
}

interface RunOptions {
  readonly input?: string;
  /** Default 64 KiB. */
  readonly outputBytes?: number;
  /** Default the pack limit. */
  readonly fileBytes?: number;
}

export interface SessionOptions {
  /** Where the folder is made. */
  readonly directory: string;
  /** kube-git's own environment. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly limits: FetchLimits;
  readonly wanted: Remote;
  /** The object ids of the repository, where something is to be fetched. Default sha1. */
  readonly objectFormat?: 'sha1' | 'sha256';
  readonly credentials: Credentials;
  /** The installation's known hosts; '' for none. */
  readonly knownHostsFile: string;
}

const defaultOutputBytes = 64 * 1024;
const sha256Digits = 64;

/** What a repository's object ids are, by one of them. */
export function objectFormatOf(id: string): 'sha1' | 'sha256' {
  return id.length === sha256Digits ? 'sha256' : 'sha1';
}

/** Opens a session, whose commands end when `signal` is aborted. The caller closes it, also after an abort. */
export async function openSession(options: SessionOptions, signal: AbortSignal): Promise<Session> {
  const folder = await mkdtemp(join(options.directory, 'kube-git-read-')); // mode 0700
  try {
    return await prepare(folder, options, signal);
  } catch (error) {
    await remove(folder);
    throw error;
  }
}

async function prepare(folder: string, options: SessionOptions, signal: AbortSignal): Promise<Session> {
  const { limits, wanted } = options;
  const traceFile = join(folder, 'trace');
  await Promise.all(['home', 'tmp'].map((name) => mkdir(join(folder, name))));
  const local = localEnvironment(options.environment, folder);
  const { silentSeconds } = limits;
  const isSsh = wanted.scheme === 'ssh';
  if (isSsh) await prepareSsh(folder, { ...options, silentSeconds });
  const proxy = isSsh ? undefined : proxyFor(new URL(wanted.url), options.environment);
  const reach = { wanted, credentials: options.credentials, traceFile, silentSeconds, proxy };
  const remote = { ...remoteEnvironment(local, reach), ...(isSsh && sshEnvironment(folder)) };
  const run = (environment: Environment, args: readonly string[], more: RunOptions = {}) => {
    const { memoryBytes } = limits;
    const sizes = { outputBytes: defaultOutputBytes, fileBytes: limits.packBytes, memoryBytes };
    return runGit({ args, environment, folder, ...sizes, ...more }, signal);
  };
  const format = options.objectFormat ?? 'sha1';
  const made = await run(local, ['init', '--quiet', '--bare', '--template=', `--object-format=${format}`]);
  if (made.code !== 0) throw new Error(`git init failed: ${made.words.trim()}`);
  return {
    local: (args, more) => run(local, args, more),
    remote: (args, more) => run(remote, args, more),
    answer: () => readAnswer(traceFile),
    report: () => readReport(folder),
    hasCutPack: (fileBytes) => hasCutPack(join(folder, 'repository.git/objects/pack'), fileBytes),
    close: () => remove(folder),
  };
}

/** index-pack leaves its temporary file behind when the file size limit ends it (SIGXFSZ). */
async function hasCutPack(packs: string, fileBytes: number): Promise<boolean> {
  const names = (await readdir(packs)).filter((name) => name.startsWith('tmp_'));
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(packs, name))).size));
  return sizes.some((size) => size >= fileBytes);
}

async function remove(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}
