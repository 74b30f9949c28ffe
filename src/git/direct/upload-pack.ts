// git-upload-pack at the other end of an ssh connection. Called by over-ssh.ts; knows nothing of what is asked and answered but
// where an answer ends.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { localEnvironment } from '../environment.ts';
import { collectWords, ended, killGroup } from '../process-group.ts';
import { prepareSsh, readReport, type SshReport, sshArguments, sshEnvironment } from '../ssh.ts';
import { type SshTarget, sshTarget } from '../ssh-url.ts';
import type { Read } from '../way.ts';
import { lengthAt } from './pkt-line.ts';
import { Unusable } from './unusable.ts';

export interface Answer {
  /** As it came, with the lengths of its lines. */
  readonly body: Buffer;
  /** flush: it is whole. cut: it has more than was allowed. closed: the connection ended before it did. */
  readonly ending: 'flush' | 'cut' | 'closed';
}

export interface UploadPack {
  /** Whether an answer has come. */
  readonly isGreeted: boolean;
  send(question: string): void;
  /** The next answer. Throws Unusable where it is no answer of git's, and the signal's reason. */
  answer(maxBytes: number): Promise<Answer>;
  /** Waits until the connection has ended. What ssh said, and what the server said on standard error. */
  ended(): Promise<{ readonly report: SshReport | undefined; readonly words: string }>;
  /** Ends it, and removes its folder. */
  close(): Promise<void>;
}

/** Starts ssh. Throws what prepareSsh throws, Unusable, and the signal's reason; the connection ends when that is aborted. */
export async function openUploadPack(read: Read): Promise<UploadPack> {
  const { wanted, credentials, source, signal } = read;
  const target = sshTarget(wanted.url);
  if (target === undefined) throw new Unusable('a path that is no text');
  const folder = await mkdtemp(join(source.directory, 'kube-git-read-')); // mode 0700
  const remove = () => rm(folder, { recursive: true, force: true, maxRetries: 3 });
  try {
    const { knownHostsFile, environment, limits } = source;
    await prepareSsh(folder, { credentials, knownHostsFile, silentSeconds: limits.silentSeconds });
    signal.throwIfAborted();
    const child = spawn('ssh', [...sshArguments(folder), ...argumentsFor(target)], {
      cwd: folder,
      env: { ...localEnvironment(environment, folder), ...sshEnvironment(folder), GIT_PROTOCOL: 'version=2' },
      detached: true, // leads its own process group
    });
    return converse(child, { folder, remove, signal });
  } catch (error) {
    await remove();
    throw error;
  }
}

function argumentsFor({ destination, port, path }: SshTarget): readonly string[] {
  return [...(port === undefined ? [] : ['-p', port]), '--', destination, `git-upload-pack ${quotedForShell(path)}`];
}

/** As git does it: the other side's shell reads it, which may be a C shell. */
function quotedForShell(text: string): string {
  return `'${text.replaceAll(/['!]/g, (character) => `'\\${character}'`)}'`;
}

interface Surroundings {
  readonly folder: string;
  readonly remove: () => Promise<void>;
  readonly signal: AbortSignal;
}

function converse(child: ChildProcessWithoutNullStreams, { folder, remove, signal }: Surroundings): UploadPack {
  const end = (): void => killGroup(child);
  signal.addEventListener('abort', end, { once: true });
  const words = collectWords(child);
  const over = ended(child);
  over.catch(() => {}); // such as no ssh: then nothing comes, and whoever asks why gets it
  child.stdin.on('error', () => {}); // a connection that has ended says why in its log
  const answers = answersOf(child.stdout);
  let isGreeted = false;
  return {
    get isGreeted() {
      return isGreeted;
    },
    send: (question) => void child.stdin.write(question),
    answer: async (maxBytes) => {
      const answer = await answers(maxBytes);
      signal.throwIfAborted();
      isGreeted = true;
      return answer;
    },
    ended: async () => {
      await over.catch(() => {});
      return { report: await readReport(folder), words: words() };
    },
    close: async () => {
      signal.removeEventListener('abort', end);
      end();
      child.stdout.destroy(); // what nobody reads any more would keep it from ending
      await over.catch(() => {});
      await remove();
    },
  };
}

/** Takes a stream apart where answers end. What comes after one belongs to the next. */
function answersOf(stream: AsyncIterable<Buffer>): (maxBytes: number) => Promise<Answer> {
  const chunks = stream[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);
  return async (maxBytes) => {
    const taken: Buffer[] = [];
    let bytes = 0;
    for (;;) {
      const { at, isFlush } = scan(rest);
      taken.push(rest.subarray(0, at));
      bytes += at;
      rest = rest.subarray(at);
      if (isFlush) return { body: Buffer.concat(taken), ending: 'flush' };
      if (bytes > maxBytes) return { body: Buffer.concat(taken), ending: 'cut' };
      const next = await chunks.next();
      if (next.done) return { body: Buffer.concat(taken), ending: 'closed' };
      rest = rest.length === 0 ? next.value : Buffer.concat([rest, next.value]);
    }
  };
}

/** How far whole lines go, up to the end of an answer. */
function scan(bytes: Buffer): { readonly at: number; readonly isFlush: boolean } {
  for (let at = 0; ; ) {
    const length = lengthAt(bytes, at);
    if (length === undefined || at + length.bytes > bytes.length) return { at, isFlush: false };
    at += length.bytes;
    if (length.isFlush) return { at, isFlush: true };
  }
}
