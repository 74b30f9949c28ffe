// Runs a program to its end. For the set-up of a node: namespaces, links, packages, images.
// Knows nothing about Kubernetes.
import { execFile } from 'node:child_process';

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal | undefined;
}

// `ip -json` and `busybox --list` print a few kilobytes, a pod's log in a test may be longer.
const maxOutputBytes = 16 * 1024 * 1024;

/**
 * What the command printed on its standard output. Rejects with the command and what it said on its error output;
 * `error.code` is the exit status then.
 */
export async function run(command: readonly string[], options: CommandOptions = {}): Promise<string> {
  const [program = '', ...args] = command;
  return new Promise((resolve, reject) => {
    execFile(program, args, { ...options, maxBuffer: maxOutputBytes }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(Object.assign(new Error(failure(command, stderr), { cause: error }), { code: error.code }));
    });
  });
}

function failure(command: readonly string[], stderr: string): string {
  return `${command.join(' ')} failed: ${stderr.trim() || 'it said nothing'}`;
}
