// Child processes that never outlive this one, however it ends. For etcd, the API server, a build, the tests themselves.
// Each child leads a process group of its own, and a watcher (a shell) holds the reading end of a pipe of ours: when we
// are gone, by return, signal or SIGKILL, the kernel closes the pipe and the watcher kills the group. The alternative,
// setpriv --pdeathsig, exists on Linux only and does not reach the child's own children.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

export interface ProcessOptions {
  /** For messages. */
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  /** Its standard output and error are appended here; without it they are ours. */
  readonly logFile?: string;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface RunningProcess {
  readonly name: string;
  readonly pid: number;
  /** How it ended, once it has; never rejects. Alone it does not keep this program running. */
  readonly exited: Promise<Exit>;
  /** Undefined while it runs. */
  exit(): Exit | undefined;
  /** Sends the signal to its group, SIGKILL when it is still there after `graceMs`; resolves when it is gone. */
  stop(signal?: NodeJS.Signals, graceMs?: number): Promise<void>;
  /** The last lines it wrote to its log file. */
  logTail(lines?: number): string;
}

/** Long enough for a server to end what is in flight, short enough for a person who pressed Ctrl-C. */
const defaultGraceMs = 5_000;

const watcherScript = 'cat >/dev/null; kill -s KILL -- "-$1" 2>/dev/null';

/** Starts a program. Rejects with a sentence when it cannot be started at all. */
export async function startProcess(options: ProcessOptions): Promise<RunningProcess> {
  const output = options.logFile === undefined ? 'inherit' : openSync(options.logFile, 'a', 0o600);
  const child = spawn(options.file, options.args, {
    stdio: ['ignore', output, output],
    detached: true,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: options.env }),
  });
  if (typeof output === 'number') closeSync(output);
  try {
    await once(child, 'spawn');
  } catch (error) {
    throw new Error(`${options.name} cannot be started: ${String(error)}`, { cause: error });
  }
  return supervise(child, options);
}

function supervise(child: ChildProcess, { name, logFile }: ProcessOptions): RunningProcess {
  const pid = child.pid as number; // set from 'spawn' on
  const watcher = watch(pid);
  let exit: Exit | undefined;
  const exited = new Promise<Exit>((resolve) => {
    child.on('exit', (code, signal) => {
      watcher.kill('SIGKILL'); // first of all: the number may soon be another's
      exit = { code, signal };
      resolve(exit);
    });
  });
  child.unref();
  const stop = async (signal: NodeJS.Signals = 'SIGTERM', graceMs = defaultGraceMs): Promise<void> => {
    if (exit !== undefined) return;
    child.ref();
    killGroup(pid, signal);
    const timer = new AbortController();
    const late = delay(graceMs, undefined, { signal: timer.signal }).then(
      () => killGroup(pid, 'SIGKILL'),
      () => {},
    );
    await exited;
    timer.abort();
    await late;
  };
  const logTail = (lines = 15): string => (logFile === undefined ? '' : tail(logFile, lines));
  return { name, pid, exited, exit: () => exit, stop, logTail };
}

/** A shell that outlives us by the moment it takes to kill the group. In a session of its own: Ctrl-C must not end it. */
function watch(group: number): ChildProcess {
  const watcher = spawn('/bin/sh', ['-c', watcherScript, 'watcher', String(group)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  watcher.on('error', () => {}); // no /bin/sh: then ending by stop() alone
  watcher.stdin?.on('error', () => {});
  watcher.unref();
  (watcher.stdin as (typeof watcher.stdin & { unref?(): void }) | null)?.unref?.();
  return watcher;
}

function killGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch {
    // gone already
  }
}

/** Waits for a process and keeps this program running meanwhile. */
export async function untilExit(running: RunningProcess): Promise<Exit> {
  const alive = setInterval(() => {}, 1_000_000);
  try {
    return await running.exited;
  } finally {
    clearInterval(alive);
  }
}

/** Whether a process of this number is there and runs: one that has ended and is not yet reaped is not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** As /proc tells, where there is one: `pid (name) state …` */
function isZombie(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
  } catch {
    return false;
  }
}

function tail(path: string, lines: number): string {
  try {
    return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return '';
  }
}
