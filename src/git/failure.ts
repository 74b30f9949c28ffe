// Why a git command failed, as an error classed by what happens next. Called by the manifest source.
// The server's status decides first; git's wording only where there is nothing else, and each such wording has a test.
import { TerminalError, WaitingError } from '../errors.ts';
import { mask } from '../log.ts';
import type { ServerAnswer } from './answer.ts';
import type { SshReport } from './ssh.ts';
import { explainSsh } from './ssh-failure.ts';
import type { Remote } from './validate.ts';

export interface Failure {
  readonly wanted: Remote;
  /** What git said on standard error. */
  readonly words: string;
  readonly answer: ServerAnswer;
  /** Whether a name or password was sent. */
  readonly loggedIn: boolean;
  /** A key was given, which http has no use for. */
  readonly unusedKey: boolean;
  /** What ssh said, where it was started. */
  readonly ssh: SshReport | undefined;
  /** Strings that no message may hold. */
  readonly secrets: readonly string[];
}

/** The server is well but has not, or will not give, what is asked for: another way may work. */
export const refusedById = /remote error:|unadvertised object|no matching remote head/;
/** The ref is gone; or, from an old server, every ref is. */
export const refusedByRef = /couldn't find remote ref|no matching remote head/;

/** curl's words, old and new, for a CONNECT that a proxy refused: then the status is the proxy's. */
const refusedByProxy = /unable to access '.*(?:CONNECT tunnel failed|from proxy after CONNECT|Proxy CONNECT aborted)/;

/** The error for a failed fetch. */
export function explainFailure(failure: Failure): TerminalError | WaitingError {
  const { status = 0 } = failure.answer;
  if (refusedByProxy.test(failure.words)) return unreachableByProxy(failure, status);
  if (status >= 300) return explainStatus(failure, status);
  const { ssh: report, ...rest } = failure;
  return (report && explainSsh({ ...rest, report })) ?? explainWords(failure);
}

function unreachableByProxy({ wanted }: Failure, status: number): WaitingError {
  const why = status === 407 ? 'refuses its user and password (407)' : `does not let it through (${status})`;
  return new WaitingError('RepositoryUnreachable', `${wanted.url} cannot be reached: the proxy of HTTPS_PROXY ${why}`);
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

function refusedLogin({ wanted, loggedIn, unusedKey }: Failure, status: number): TerminalError {
  return new TerminalError(
    'AuthenticationFailed',
    loggedIn
      ? `the server refused the credentials for ${wanted.url} (${status}): check the user name and the password or token, and that it may read this repository`
      : `${wanted.url} asks for credentials (${status}): name a passwordSecret, and a usernameSecret where the server wants a user name${keyHint(unusedKey)}`,
  );
}

function notFound({ wanted, loggedIn, unusedKey }: Failure, status: number): TerminalError {
  return new TerminalError(
    'RepositoryNotFound',
    loggedIn
      ? `there is no repository at ${wanted.url} (${status}), or these credentials may not see it`
      : `there is no repository at ${wanted.url} (${status}), or it is private and needs credentials: check spec.repository${keyHint(unusedKey)}`,
  );
}

function keyHint(unusedKey: boolean): string {
  return unusedKey
    ? '. The key of spec.sshPrivateKeySecret is for ssh URLs: write spec.repository as git@host:owner/name.git to use it'
    : '';
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
    const hint = /certificate/i.test(shown) ? '. A private certificate authority is named with the flag -ca-file' : '';
    return new WaitingError('RepositoryUnreachable', `${wanted.url} cannot be reached: ${shown}${hint}`);
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
