// What branches and tags a repository has, and who wrote a commit, with the git program. Called by the controller's
// recovery; must not know of Kubernetes or GitHooks. Hardened as the manifest source is: same environment, same limits.
import { TerminalError } from '../errors.ts';
import { createSlots } from '../slots.ts';
import type { Result } from './command.ts';
import { failureOf } from './failed-command.ts';
import { refusedById } from './failure.ts';
import type { ManifestSourceOptions } from './fetch.ts';
import type { CommitWords, Credentials, ListedRef, RefSource } from './git.ts';
import { defaultLimits, type FetchLimits } from './limits.ts';
import { objectFormatOf, openSession, type Session } from './session.ts';
import { withTimeLimit } from './time-limit.ts';
import { checkCommit, checkCredentials, checkUrl, isFullRef, type Remote } from './validate.ts';

/** What one question needs, checked. */
interface Question {
  readonly wanted: Remote;
  readonly credentials: Credentials;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly limits: FetchLimits;
}

type Answering<T> = (session: Session, question: Question) => Promise<T>;

/** A source that runs git, in turns of its own: however slow servers list refs, manifests are fetched meanwhile. */
export function createRefSource(options: ManifestSourceOptions): RefSource {
  const limits = { ...defaultLimits, ...options.limits };
  const { environment = process.env, knownHostsFile = '', directory } = options;
  const slots = createSlots(limits.concurrentLists);
  const ask = <T>(url: string, credentials: Credentials, answer: Answering<T>, more: Asking): Promise<T> => {
    const wanted = checkUrl(url);
    checkCredentials(wanted, credentials, options.allowInsecureCredentials);
    const question = { wanted, credentials, environment, limits };
    const work = async (signal: AbortSignal): Promise<T> => {
      const session = await openSession({ ...question, ...more, directory, knownHostsFile }, signal);
      try {
        return await answer(session, question);
      } finally {
        await session.close();
      }
    };
    const limit = { ms: limits.readMs, url: wanted.url };
    return slots.run(() => withTimeLimit(work, limit, more.signal), more.signal);
  };
  return {
    list: async (url, credentials, signal) => ({ refs: await ask(url, credentials, listRefs, { signal }) }),
    defaultBranch: async (url, credentials, signal) => ask(url, credentials, readDefaultBranch, { signal }),
    describe: async ({ url, id }, credentials, signal) => {
      const objectFormat = objectFormatOf(checkCommit(id));
      return ask(url, credentials, (session, question) => describe(id, session, question), { signal, objectFormat });
    },
  };
}

interface Asking {
  readonly signal: AbortSignal;
  readonly objectFormat?: 'sha1' | 'sha256';
}

/** --heads and --tags become prefixes of protocol v2, so that a server with a million refs/pull/… does not send them. */
async function listRefs(session: Session, question: Question): Promise<ReadonlyMap<string, ListedRef>> {
  const { wanted, limits } = question;
  const args = ['ls-remote', '--quiet', '--heads', '--tags', '--', 'origin'];
  const result = await session.remote(args, { outputBytes: limits.listBytes });
  if (result.overflowed) throw tooManyRefs(wanted, limits);
  await succeed(result, session, question);
  const refs = parseList(result.output.toString('utf8'));
  if (refs.size > limits.listedRefs) throw tooManyRefs(wanted, limits);
  return refs;
}

function tooManyRefs({ url }: Remote, { listedRefs }: FetchLimits): TerminalError {
  return new TerminalError(
    'TooManyRefs',
    `${url} has more than ${listedRefs} branches and tags, which kube-git does not compare: delete what is not needed, or rely on the webhook and set spec.poll.intervalSeconds to 0`,
  );
}

/** `<id>\t<ref>` a line; an annotated tag has a second one, `<ref>^{}`, with what it stands for. What is no ref is left out. */
export function parseList(text: string): ReadonlyMap<string, ListedRef> {
  const refs = new Map<string, ListedRef>();
  for (const line of text.split('\n')) {
    const [, id = '', name = ''] = /^([0-9a-f]{40}|[0-9a-f]{64})\t(.+)$/.exec(line) ?? [];
    const ref = name.replace(/\^\{\}$/, '');
    if (!/^refs\/(?:heads|tags)\//.test(ref) || !isFullRef(ref)) continue;
    const tag = ref === name ? undefined : refs.get(ref);
    refs.set(ref, tag ? { id: tag.id, peeled: id } : { id, peeled: id });
  }
  return refs;
}

async function readDefaultBranch(session: Session, question: Question): Promise<string | undefined> {
  const result = await session.remote(['ls-remote', '--quiet', '--symref', '--', 'origin', 'HEAD'], {
    outputBytes: question.limits.listBytes,
  });
  await succeed(result, session, question);
  const ref = /^ref: (refs\/heads\/.+)\tHEAD$/m.exec(result.output.toString('utf8'))?.[1];
  return ref !== undefined && isFullRef(ref) ? ref : undefined;
}

const nothingKnown: CommitWords = { author: '', message: '' };

async function describe(id: string, session: Session, question: Question): Promise<CommitWords | undefined> {
  const fetched = await session.remote(['fetch', ...fetchOptions, '--', 'origin', id]);
  if (fetched.code !== 0 && refusedById.test(fetched.words)) return nothingKnown;
  await succeed(fetched, session, question);
  const type = await session.local(['cat-file', '-t', id]);
  if (type.output.toString('utf8').trim() !== 'commit') return undefined;
  // A message of more than the output limit ends the command; what came is enough.
  const { output } = await session.local(['rev-list', '--max-count=1', '--format=%an%n%B', '--end-of-options', id]);
  const [, author = '', message = ''] = output.toString('utf8').split('\n'); // after `commit <id>`
  return { author, message };
}

const fetchOptions = [
  ...['--quiet', '--no-tags', '--no-write-fetch-head', '--no-recurse-submodules', '--no-auto-maintenance'],
  ...['--depth=1', '--filter=tree:0'],
];

async function succeed(result: Result, session: Session, question: Question): Promise<void> {
  if (result.code !== 0) throw await failureOf(result, { session, ...question });
}
