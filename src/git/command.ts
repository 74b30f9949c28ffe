// Runs one git command in a process group of its own, under limits, and ends the whole group. Called by the session.
// Knows nothing of what the command does.
import type { ChildProcess } from 'node:child_process';
import { collectWords, ended, killGroup, type Program, startGroup } from './process-group.ts';

export interface Command extends Omit<Program, 'name'> {
  /** Written to its standard input. */
  readonly input?: string;
  /** Standard output beyond this ends the command. */
  readonly outputBytes: number;
}

export interface Result {
  /** 0 when all went well; null when it was ended. */
  readonly code: number | null;
  readonly output: Buffer;
  /** There was more output than allowed. */
  readonly overflowed: boolean;
  /** The end of what it said on standard error. */
  readonly words: string;
}

/**
 * Resolves when the command and all its children have ended. On abort the group is killed and, when it is gone,
 * the signal's reason thrown. A failing command is a result, not an error.
 */
export async function runGit(command: Command, signal: AbortSignal): Promise<Result> {
  signal.throwIfAborted();
  const child = startGroup({ name: 'git', ...command });
  const end = () => killGroup(child);
  signal.addEventListener('abort', end);
  try {
    const output = collectOutput(child, command.outputBytes);
    const words = collectWords(child);
    child.stdin.end(command.input ?? '');
    const code = await ended(child);
    signal.throwIfAborted();
    return { code, ...output(), words: words() };
  } finally {
    signal.removeEventListener('abort', end);
  }
}

function collectOutput(child: ChildProcess, limitBytes: number) {
  const chunks: Buffer[] = [];
  let size = 0;
  child.stdout?.on('data', (chunk: Buffer) => {
    if (size <= limitBytes) chunks.push(chunk);
    size += chunk.length;
    if (size > limitBytes) killGroup(child);
  });
  return () => ({ output: Buffer.concat(chunks), overflowed: size > limitBytes });
}
