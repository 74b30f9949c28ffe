// A child process under limits that leads a process group of its own, so that what it starts ends with it. Called by command.ts and
// by the objects' way over ssh.
import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { WaitingError } from '../errors.ts';
import type { Environment } from './environment.ts';

export interface Program {
  readonly name: 'git' | 'ssh';
  readonly args: readonly string[];
  readonly environment: Environment;
  readonly folder: string;
  /** No file it writes may grow beyond this. */
  readonly fileBytes: number;
  readonly memoryBytes: number;
}

// The shell sees no text of ours but this: limits, program and arguments come as parameters. POSIX counts -f in blocks of 512 bytes.
const script = 'ulimit -c 0; ulimit -f "$1"; ulimit -v "$2"; shift 2; exec "$@"';
const blockBytes = 512;
const keptWordsCharacters = 8 * 1024; // the last lines say what happened

/** Its pipes are open; `ended` tells when it has. Throws WaitingError FetchFailed where not even pipes can be made. */
export function startGroup(program: Program): ChildProcessWithoutNullStreams {
  const limits = [Math.ceil(program.fileBytes / blockBytes), Math.ceil(program.memoryBytes / 1024)].map(String);
  const child = spawn('/bin/sh', ['-c', script, 'sh', ...limits, program.name, ...program.args], {
    cwd: program.folder,
    env: program.environment,
    detached: true, // leads its own process group
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.on('error', () => {}); // which `ended` throws, where somebody waits
  // Node gives a child without pipes where there are too many open files.
  if ((child.stdin as unknown) === undefined) throw new WaitingError('FetchFailed', 'no process can be started');
  child.stdin.on('error', () => {}); // who ends early says why in another way
  return child;
}

/** git's children (git-remote-https, index-pack, ssh) outlive it when only it is killed. */
export function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Nobody is left.
  }
}

/** Waits for it, ends what it left behind, and waits until nobody holds its pipes any more. The exit code; null when killed. */
export function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', () => killGroup(child));
    child.on('close', resolve);
  });
}

/** The end of what it says on standard error. */
export function collectWords(child: ChildProcess): () => string {
  let words = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    words = (words + chunk).slice(-keptWordsCharacters);
  });
  return () => words;
}
