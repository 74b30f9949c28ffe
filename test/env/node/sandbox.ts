// A set of Linux namespaces (processes, mounts, network) in which a whole cluster lives. When its first
// process ends, the kernel ends every other process in it, and with them go all mounts, links and addresses: nothing
// has to be found and undone one by one. The first process ends with ours, however ours ends.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';

export interface Sandbox {
  /** The sandbox's first process, as the machine numbers it. */
  readonly pid: number;
  /** The command that runs `command` inside. Its working directory is `/` then. */
  enter(command: readonly string[]): readonly string[];
  /** Ends everything inside. Returns when the kernel is done with the last process. */
  stop(): Promise<void>;
}

// The first process does nothing but wait for the end of its input, which our end closes. It ignores SIGCHLD, so that
// the kernel buries the orphans it inherits. The line tells that /proc is mounted, so that others may enter.
const firstProcess = 'trap "" CHLD; echo ready; exec cat >/dev/null';

/** Throws what `unshare` said when the machine refuses namespaces. */
export async function startSandbox(signal?: AbortSignal): Promise<Sandbox> {
  signal?.throwIfAborted();
  const namespaces = ['--pid', '--mount-proc', '--mount', '--net', '--propagation', 'private'];
  const command = ['--pdeathsig', 'KILL', 'unshare', '--fork', '--kill-child', ...namespaces];
  // A session of its own: Ctrl-C is for our process, which stops the sandbox when it is done with it.
  const child = spawn('setpriv', [...command, 'sh', '-c', firstProcess], { detached: true, cwd: '/' });
  const ended = once(child, 'exit');
  child.stdin.on('error', () => undefined); // the pipe of a killed sandbox; its end is seen by 'exit'
  const stop = async () => {
    child.stdin.end();
    child.kill('SIGKILL'); // --kill-child: the first process dies with its parent
    await ended;
  };
  try {
    await ready(child);
    const pid = await firstChild(child);
    return { pid, stop, enter: (command) => [...nsenter(pid), ...command] };
  } catch (error) {
    await stop();
    throw error;
  }
}

function nsenter(pid: number): readonly string[] {
  return ['nsenter', '--target', String(pid), '--pid', '--mount', '--net', '--'];
}

async function ready(child: ChildProcess): Promise<void> {
  if (child.stdout === null || child.stderr === null) throw new Error('the sandbox has no output to read');
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  for await (const line of createInterface(child.stdout)) if (line === 'ready') return;
  throw new Error(`cannot make namespaces for the node: ${said.trim()}`);
}

/** `unshare` stays outside of the process namespace; its one child is the first process inside. */
async function firstChild(child: ChildProcess): Promise<number> {
  const children = await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8');
  const pid = Number.parseInt(children, 10);
  if (Number.isNaN(pid)) throw new Error('the sandbox for the node ended at once');
  return pid;
}
