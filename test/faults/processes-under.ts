// What /proc says of a process and of what it has started: where secrets could show, and what it could leave behind.
import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessSeen {
  readonly pid: number;
  /** Its arguments, apart by spaces. */
  readonly arguments: string;
  /** Its environment at its start, one a line. */
  readonly environment: string;
}

/** Everything below the process, itself not. Synchronous: a git process lives for milliseconds. */
export function processesUnder(pid: number): readonly ProcessSeen[] {
  return childrenOf(pid).flatMap((child) => [
    {
      pid: child,
      arguments: read(`/proc/${child}/cmdline`).replaceAll('\0', ' '),
      environment: read(`/proc/${child}/environ`).replaceAll('\0', '\n'),
    },
    ...processesUnder(child),
  ]);
}

export function argumentsOf(pid: number): string {
  return read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');
}

/** Open file descriptors. */
export function descriptorsOf(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
}

/** Each thread's children: any of them may have started one. */
function childrenOf(pid: number): readonly number[] {
  const lists = tasksOf(pid).map((task) => read(`/proc/${pid}/task/${task}/children`));
  return lists.flatMap((list) => list.split(' ').filter(Boolean).map(Number));
}

function tasksOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** '' where it has gone meanwhile. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
