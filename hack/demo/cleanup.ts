// What has to be undone at the end, in reverse order. One list for the whole demo; main.ts runs it on every way out.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../../src/errors.ts';

export class Cleanup {
  readonly #undo: { readonly what: string; readonly run: () => unknown }[] = [];
  #over = false;

  /** `what` ends the sentence "Could not …". What comes when all is over is undone at once. */
  add(what: string, run: () => unknown): void {
    this.#undo.push({ what, run });
    if (this.#over) void this.run();
  }

  /** Undoes everything, whatever fails; returns a sentence for each failure. */
  async run(): Promise<string[]> {
    this.#over = true;
    const problems: string[] = [];
    for (let next = this.#undo.pop(); next; next = this.#undo.pop()) {
      try {
        await next.run();
      } catch (error) {
        problems.push(`Could not ${next.what}: ${messageOf(error)}`);
      }
    }
    return problems;
  }
}

/**
 * A folder for the demo's files, which only this user can read (a kubeconfig holds keys). It goes away with the demo,
 * also when that is killed: a shell waits for the end of its input, which is ours to close, and removes it.
 */
export async function createFolder(cleanup: Cleanup): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'kube-git-demo-'));
  const script = 'cat >/dev/null; rm -rf -- "$1"';
  const remover = spawn('/bin/sh', ['-c', script, 'remover', folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true, // in a session of its own, Ctrl-C does not end it
  });
  remover.on('error', () => {}); // no /bin/sh: then only the ordinary end removes the folder
  cleanup.add(`remove ${folder}`, async () => {
    remover.stdin.end();
    await rm(folder, { recursive: true, force: true });
  });
  return folder;
}
