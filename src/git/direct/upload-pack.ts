// git-upload-pack at the other end of an ssh connection. Called by over-ssh.ts; knows nothing of what is asked and answered but
// where an answer ends.
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { localEnvironment } from '../environment.ts';
import { collectWords, ended, killGroup, startGroup } from '../process-group.ts';
import { prepareSsh, readReport, type SshReport, sshArguments, sshEnvironment } from '../ssh.ts';
import { type SshTarget, sshTarget } from '../ssh-url.ts';
import type { Read } from '../way.ts';
import { isErrorAt, lengthAt } from './pkt-line.ts';
import { Unusable } from './unusable.ts';

/** What ssh may write into its log: a server can make it say much. */
const logBytes = 1024 * 1024;
/** How long the other side has to leave once nothing more is asked. */
const leaveMs = 2_000;

export interface Answer {
  /** As it came, with the lengths of its lines. */
  readonly body: Buffer;
  /** end: it is whole. cut: it has more than was allowed. closed: the connection ended before it did. */
  readonly ending: 'end' | 'cut' | 'closed';
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
  if (target === undefined) throw new Unusable('a URL for git to read', { isPassing: true });
  const folder = await mkdtemp(join(source.directory, 'kube-git-read-')); // mode 0700
  const remove = () => rm(folder, { recursive: true, force: true, maxRetries: 3 });
  try {
    const { knownHostsFile, environment, limits } = source;
    await prepareSsh(folder, { credentials, knownHostsFile, silentSeconds: limits.silentSeconds });
    signal.throwIfAborted();
    const child = startGroup({
      name: 'ssh',
      args: [...sshArguments(folder), ...argumentsFor(target)],
      environment: { ...localEnvironment(environment, folder), ...sshEnvironment(folder), GIT_PROTOCOL: 'version=2' },
      folder,
      fileBytes: logBytes,
      memoryBytes: limits.memoryBytes,
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
  const end = (): void => {
    if (child.exitCode === null && child.signalCode === null) killGroup(child);
  };
  signal.addEventListener('abort', end, { once: true });
  const words = collectWords(child);
  const over = ended(child);
  over.catch(() => {}); // no shell: then nothing comes, and whoever asks why gets no report
  const answers = new Answers(child.stdout);
  let isGreeted = false;
  return {
    get isGreeted() {
      return isGreeted;
    },
    send: (question) => void child.stdin.write(question),
    answer: async (maxBytes) => {
      const answer = await answers.next(maxBytes);
      signal.throwIfAborted();
      isGreeted = true;
      return answer;
    },
    ended: async () => {
      child.stdin.end();
      const timer = setTimeout(end, leaveMs); // a server may close its half only
      await over.catch(() => {});
      clearTimeout(timer);
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
class Answers {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(stream: AsyncIterable<Buffer>) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  async next(maxBytes: number): Promise<Answer> {
    const taken: Buffer[] = [];
    let bytes = 0;
    for (;;) {
      const { at, isEnd } = scan(this.#rest);
      if (at > 0) taken.push(this.#rest.subarray(0, at));
      bytes += at;
      this.#rest = this.#rest.subarray(at);
      const isCut = bytes > maxBytes;
      if (isEnd || isCut) return { body: Buffer.concat(taken), ending: isEnd ? 'end' : 'cut' };
      if (!(await this.#readMore())) return { body: Buffer.concat(taken), ending: 'closed' };
    }
  }

  async #readMore(): Promise<boolean> {
    const { done, value } = await this.#chunks.next();
    if (done) return false;
    this.#rest = this.#rest.length === 0 ? value : Buffer.concat([this.#rest, value]);
    return true;
  }
}

/** How far whole lines go, up to the end of an answer: a flush, or an error. */
function scan(bytes: Buffer): { readonly at: number; readonly isEnd: boolean } {
  for (let at = 0; ; ) {
    const length = lengthAt(bytes, at);
    if (length === undefined || at + length.bytes > bytes.length) return { at, isEnd: false };
    const isEnd = length.isFlush || isErrorAt(bytes, at);
    at += length.bytes;
    if (isEnd) return { at, isEnd };
  }
}
