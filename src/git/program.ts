// The ways that run the git program, in a private folder that is gone when the read ends: for servers that do not serve
// single objects. Called by the manifest source. The cost does not grow with the history.
import { TerminalError, WaitingError } from '../errors.ts';
import type { Result } from './command.ts';
import { contentOf, manifestTooLarge } from './content.ts';
import { failureOf } from './failed-command.ts';
import { refusedById, refusedByRef } from './failure.ts';
import type { FetchLimits } from './limits.ts';
import { treesOf } from './program-trees.ts';
import { objectFormatOf, openSession, type Session } from './session.ts';
import { findFile } from './tree.ts';
import type { Wanted } from './validate.ts';
import type { Read, Tried, Way } from './way.ts';

/** How to fetch: by the commit's id, or by the ref it was pushed to. */
interface Fetching {
  readonly name: string;
  /** git's words when the server answers well but refuses this way. */
  readonly refusal: RegExp;
  readonly args: (wanted: Wanted, limits: FetchLimits) => readonly string[];
  /** What came need not be the commit that was wanted. */
  readonly byRef?: true;
}

/** One try of a read. */
interface Attempt extends Read {
  readonly fetching: Fetching;
  readonly session: Session;
}

const fetchedRef = 'refs/kube-git/pushed';

/** Best first. */
export const programWays: readonly Way[] = (
  [
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
      byRef: true,
    },
  ] satisfies readonly Fetching[]
).map((fetching) => ({ name: fetching.name, fits: () => true, read: (read) => tryBy(fetching, read) }));

const fetchOptions = [
  '--quiet',
  '--no-tags',
  '--no-write-fetch-head',
  '--no-recurse-submodules',
  '--no-auto-maintenance',
];

async function tryBy(fetching: Fetching, read: Read): Promise<Tried> {
  const text = await readBy(fetching, read);
  return text === undefined ? { refused: 'asARule' } : { text };
}

/** The text, or undefined when the server refuses. */
async function readBy(fetching: Fetching, read: Read): Promise<string | undefined> {
  const { source, wanted, credentials, signal } = read;
  const session = await openSession(
    { ...source, wanted, credentials, objectFormat: objectFormatOf(wanted.commit) },
    signal,
  );
  const attempt: Attempt = { ...read, fetching, session };
  try {
    const { packBytes } = source.limits;
    const fetched = await session.remote(['fetch', ...fetchOptions, ...fetching.args(wanted, source.limits)]);
    if (await session.hasCutPack(packBytes)) throw repositoryTooLarge(wanted, packBytes);
    if (!(await succeeded(fetched, attempt))) return undefined;
    if (fetching.byRef && !(await leadsToCommit(session, wanted))) return undefined;
    return await readBlob(await findFile(treesOf(session), wanted), attempt);
  } finally {
    await session.close();
  }
}

/** False when the server refuses; throws for every other failure. */
async function succeeded(
  result: Result,
  { fetching, session, wanted, credentials, source }: Attempt,
): Promise<boolean> {
  if (result.code === 0) return true;
  const answer = await session.answer();
  if ((answer.status ?? 0) < 300 && fetching.refusal.test(result.words)) return false;
  throw await failureOf(result, { session, wanted, credentials, environment: source.environment });
}

/** A fetch of the ref brings whatever it points at now: the commit must be that or one of its last ancestors. */
async function leadsToCommit(session: Session, { commit }: Wanted): Promise<boolean> {
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
  return contentOf(result.output.subarray(start, start + Number(head[1])), wanted);
}
