// Why a git command failed, as an error classed by what happens next. Called by the manifest source.
// The server's status decides first; git's wording only where there is nothing else, and each such wording has a test.
import { TerminalError, WaitingError } from '../errors.ts';
import { mask } from '../log.ts';
import type { ServerAnswer } from './answer.ts';
import type { Wanted } from './validate.ts';

export interface Failure {
  readonly wanted: Wanted;
  /** What git said on standard error. */
  readonly words: string;
  readonly answer: ServerAnswer;
  /** Whether a name or password was sent. */
  readonly loggedIn: boolean;
  /** Strings that no message may hold. */
  readonly secrets: readonly string[];
}

/** The server is well but has not, or will not give, what is asked for: another way may work. */
export const refusedById = /remote error:|unadvertised object|no matching remote head/;
/** The ref is gone; or, from an old server, every ref is. */
export const refusedByRef = /couldn't find remote ref|no matching remote head/;

/** The error for a failed fetch. */
export function explainFailure(failure: Failure): TerminalError | WaitingError {
  const { status = 0 } = failure.answer;
  return status >= 300 ? explainStatus(failure, status) : explainWords(failure);
}

function explainStatus(failure: Failure, status: number): TerminalError | WaitingError {
  const { answer, wanted } = failure;
  if (status < 400) return redirected(failure);
  const wait = answer.retryAfterMs === undefined ? {} : { retryAfterMs: answer.retryAfterMs };
  const isLimit = status === 429 || (status === 403 && answer.retryAfterMs !== undefined);
  if (isLimit) return new WaitingError('RateLimited', `${wanted.url} answers ${status}: too many requests`, wait);
  if (status === 401 || status === 403) return refusedLogin(failure, status);
  if (status === 404 || status === 410) return notFound(failure, status);
  return new WaitingError('RepositoryUnreachable', `${wanted.url} answers ${status}`, wait);
}

function redirected({ answer, wanted, secrets }: Failure): TerminalError {
  const target = answer.location === undefined ? 'elsewhere' : `to ${newUrl(answer.location, wanted.url)}`;
  return new TerminalError(
    'Redirected',
    mask(
      `${wanted.url} has moved ${target}. Redirects are not followed, they would take the credentials along: write the new URL in spec.repository`,
      secrets,
    ),
  );
}

/** The clone URL behind a redirect of <url>/info/refs?service=...; shown only, never followed. */
function newUrl(location: string, from: string): string {
  if (!URL.canParse(location, from)) return 'elsewhere';
  const url = new URL(location, from);
  return `${url.origin}${url.pathname.replace(/\/(info\/refs|git-upload-pack)$/, '')}`.slice(0, 500);
}

function refusedLogin({ wanted, loggedIn }: Failure, status: number): TerminalError {
  return new TerminalError(
    'AuthenticationFailed',
    loggedIn
      ? `the server refused the credentials for ${wanted.url} (${status}): check the user name and the password or token, and that it may read this repository`
      : `${wanted.url} asks for credentials (${status}): name a passwordSecret, and a usernameSecret where the server wants a user name`,
  );
}

function notFound({ wanted, loggedIn }: Failure, status: number): TerminalError {
  return new TerminalError(
    'RepositoryNotFound',
    loggedIn
      ? `there is no repository at ${wanted.url} (${status}), or these credentials may not see it`
      : `there is no repository at ${wanted.url} (${status}), or it is private and needs credentials: check spec.repository`,
  );
}

function explainWords(failure: Failure): TerminalError | WaitingError {
  const { wanted, answer, words } = failure;
  const shown = lastWords(failure);
  if (words.includes('fsck error')) {
    return new TerminalError(
      'UnsafeObjects',
      `${wanted.url} holds objects that fail git's checks (git fsck): ${shown}`,
    );
  }
  if (words.includes('Operation too slow')) {
    return new WaitingError('RepositoryTooSlow', `${wanted.url} answers too slowly: ${shown}`);
  }
  if (words.includes('unable to access')) {
    return new WaitingError('RepositoryUnreachable', `${wanted.url} cannot be reached: ${shown}`);
  }
  if (answer.status !== undefined && !answer.contentType?.startsWith('application/x-git-')) {
    const type = answer.contentType?.slice(0, 100) ?? 'no content type';
    return new WaitingError(
      'RepositoryUnreachable',
      `${wanted.url} does not answer as a git server does (${type}): check spec.repository`,
    );
  }
  return new WaitingError('FetchFailed', `git could not fetch from ${wanted.url}: ${shown}`);
}

const shownCharacters = 300; // a condition's message stays readable

/** git's last lines, in one, without secrets and control characters. */
function lastWords({ words, secrets, wanted }: Failure): string {
  const lines = words.split('\n').filter((line) => /^(?:fatal|error|remote): /.test(line));
  const text = lines
    .slice(-3)
    .map((line) => line.replace(`unable to access '${wanted.url}/': `, '').replace(/^\w+: /, ''))
    .join('; ');
  return mask(text.replaceAll(/\p{Cc}/gu, ' '), secrets).slice(0, shownCharacters) || 'it gave no reason';
}
