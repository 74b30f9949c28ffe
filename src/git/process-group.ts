// A child process that leads a process group of its own, so that what it starts ends with it. Called by command.ts and by the
// objects' way over ssh.
import type { ChildProcess } from 'node:child_process';

const keptWordsCharacters = 8 * 1024; // the last lines say what happened

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
