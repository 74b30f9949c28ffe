// Reads one file at one commit with the git program, at a cost that does not grow with the repository. Called by the
// controller; must not know of Kubernetes or GitHooks. Every read has a private folder that is gone when it ends.
import { type Clock, systemClock } from '../clock.ts';
import { TerminalError, WaitingError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Result } from './command.ts';
import { failureOf } from './failed-command.ts';
import { refusedById, refusedByRef } from './failure.ts';
import type { Credentials, FileAtCommit, ManifestSource } from './git.ts';
import { defaultLimits, type FetchLimits } from './limits.ts';
import { objectFormatOf, openSession, type Session } from './session.ts';
import { createSlots } from './slots.ts';
import { withTimeLimit } from './time-limit.ts';
import { findFile } from './tree.ts';
import { checkCredentials, checkFile, type Wanted } from './validate.ts';

export interface ManifestSourceOptions {
  /** An existing folder in which the temporary folders are made. */
  readonly directory: string;
  /** Passwords may be sent over plain http. */
  readonly allowInsecureCredentials: boolean;
  /** A known_hosts file of the installation, read at each fetch. Default: none. */
  readonly knownHostsFile?: string;
  readonly limits?: Partial<FetchLimits>;
  /** kube-git's own environment: PATH, proxies and CA certificates are passed on. Default: the process's. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly clock?: Clock;
  readonly log: Log;
}

/** What one read needs, checked. */
interface Read {
  readonly wanted: Wanted;
  readonly credentials: Credentials;
  readonly source: Required<ManifestSourceOptions> & { readonly limits: FetchLimits };
  readonly signal: AbortSignal;
}

/** One try of a read. */
interface Attempt extends Read {
  readonly way: Way;
  readonly session: Session;
}

/** How to fetch: by the commit's id, or by the ref it was pushed to. */
interface Way {
  readonly name: string;
  /** git's words when the server answers well but refuses this way. */
  readonly refusal: RegExp;
  readonly args: (wanted: Wanted, limits: FetchLimits) => readonly string[];
}

const ways: readonly Way[] = [
  {
    name: 'commit without blobs',
    refusal: refusedById,
    args: ({ commit }) => ['--filter=blob:none', '--depth=1', '--', 'origin', commit],
  },
  {
    name: 'commit',
    refusal: refusedById,
    args: ({ commit }) => ['--no-filter', '--depth=1', '--', 'origin', commit],
  },
  {
    name: 'ref',
    refusal: refusedByRef,
    args: ({ ref }, { refDepth }) => ['--no-filter', `--depth=${refDepth}`, '--', 'origin', `+${ref}:${fetchedRef}`],
  },
];
const fetchedRef = 'refs/kube-git/pushed';

/** A source that runs git. Holds no state but the turns. */
export function createManifestSource(options: ManifestSourceOptions): ManifestSource {
  const limits = { ...defaultLimits, ...options.limits };
  const source = { environment: process.env, knownHostsFile: '', clock: systemClock, ...options, limits };
  const slots = createSlots(limits.concurrentReads);
  return {
    read: async (file: FileAtCommit, credentials: Credentials, signal: AbortSignal) => {
      const wanted = checkFile(file);
      checkCredentials(wanted, credentials, options.allowInsecureCredentials);
      const read = (limited: AbortSignal) => readPatiently({ wanted, credentials, source, signal: limited });
      return slots.run(() => withTimeLimit(read, { ms: limits.readMs, url: wanted.url }, signal), signal);
    },
  };
}

/** A commit that is not there is looked for again: a forge may tell of a push before all its servers have it. */
async function readPatiently(read: Read): Promise<string> {
  const { clock, limits } = read.source;
  for (const wait of limits.notFoundRetriesMs) {
    const text = await readAnyWay(read);
    if (text !== undefined) return text;
    await clock.sleep(wait, read.signal);
  }
  const text = await readAnyWay(read);
  if (text !== undefined) return text;
  const { commit, url, ref } = read.wanted;
  throw new TerminalError(
    'CommitNotFound',
    `commit ${commit} is not to be had from ${url}: the server does not give it by its id, and ${ref} is gone or does not lead to it any more. Push again`,
  );
}

async function readAnyWay(read: Read): Promise<string | undefined> {
  const { source, wanted } = read;
  for (const way of ways) {
    const text = await readOneWay(way, read);
    if (text !== undefined) return text;
    source.log.debug(
      { url: wanted.url, commit: wanted.commit, way: way.name },
      'server does not serve the commit this way',
    );
  }
  return undefined;
}

/** The text, or undefined when the server refuses this way. */
async function readOneWay(way: Way, read: Read): Promise<string | undefined> {
  const { source, wanted, credentials, signal } = read;
  const session = await openSession(
    { ...source, wanted, credentials, objectFormat: objectFormatOf(wanted.commit) },
    signal,
  );
  const attempt: Attempt = { ...read, way, session };
  try {
    const { packBytes } = source.limits;
    const fetched = await session.remote(['fetch', ...fetchOptions, ...way.args(wanted, source.limits)]);
    if (await session.hasCutPack(packBytes)) throw repositoryTooLarge(wanted, packBytes);
    if (!(await succeeded(fetched, attempt)) || !(await hasCommit(session, wanted))) return undefined;
    return await readBlob(await findFile(session, wanted), attempt);
  } finally {
    await session.close();
  }
}

const fetchOptions = [
  '--quiet',
  '--no-tags',
  '--no-write-fetch-head',
  '--no-recurse-submodules',
  '--no-auto-maintenance',
];

/** False when the server refuses; throws for every other failure. */
async function succeeded(result: Result, { way, session, wanted, credentials, source }: Attempt): Promise<boolean> {
  if (result.code === 0) return true;
  const answer = await session.answer();
  if ((answer.status ?? 0) < 300 && way.refusal.test(result.words)) return false;
  throw await failureOf(result, { session, wanted, credentials, environment: source.environment });
}

/** A fetch of the ref brings whatever it points at now: the commit must be that or one of its last ancestors. */
async function hasCommit(session: Session, { commit }: Wanted): Promise<boolean> {
  const byRef = await session.local(['rev-parse', '--quiet', '--verify', '--end-of-options', fetchedRef]);
  if (byRef.code !== 0) return true; // fetched by its id, which git has checked
  return (await session.local(['merge-base', '--is-ancestor', commit, fetchedRef])).code === 0;
}

function repositoryTooLarge({ url }: Wanted, bytes: number): TerminalError {
  return new TerminalError(
    'RepositoryTooLarge',
    `the server of ${url} sends more than ${bytes / 2 ** 20} MiB for one commit`,
  );
}

const headerBytes = 200; // `<id> blob <size>\n`
const blobPackOverhead = 2; // a blob that does not compress, its pack's header and index: twice the file is ample

/** The text of a blob, which is fetched now where the fetch left it out. Undefined when the server refuses. */
async function readBlob(id: string, attempt: Attempt): Promise<string | undefined> {
  const { session, source, wanted } = attempt;
  const { fileBytes } = source.limits;
  const outputBytes = fileBytes + headerBytes;
  const packBytes = blobPackOverhead * fileBytes;
  const result = await session.remote(['cat-file', '--batch'], { input: `${id}\n`, outputBytes, fileBytes: packBytes });
  const head = /^[0-9a-f]+ blob (\d+)\n/.exec(result.output.toString('latin1', 0, headerBytes));
  const isTooLarge = result.overflowed || Number(head?.[1] ?? 0) > fileBytes || (await session.hasCutPack(packBytes));
  if (isTooLarge) throw manifestTooLarge(wanted, fileBytes);
  if (!(await succeeded(result, attempt))) return undefined;
  if (!head) throw new WaitingError('FetchFailed', `${wanted.url} did not send the content of ${wanted.path}`);
  const start = head[0].length;
  return decode(result.output.subarray(start, start + Number(head[1])), wanted);
}

function manifestTooLarge({ path, commit }: Wanted, bytes: number): TerminalError {
  return new TerminalError(
    'ManifestTooLarge',
    `${path} at commit ${commit.slice(0, 12)} is larger than ${bytes / 1024} KiB`,
  );
}

function decode(content: Uint8Array, { path, commit }: Wanted): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(content);
    if (!text.includes('\0')) return text;
  } catch {
    // Not UTF-8: said below, as for NUL.
  }
  throw new TerminalError(
    'NotText',
    `${path} at commit ${commit.slice(0, 12)} is no UTF-8 text: save the manifest as UTF-8`,
  );
}
