// Checks everything a user or a webhook says about a file before a process sees it. Called by the manifest source, before
// anything is spawned. The inputs are hostile: see the advisories on options and transports smuggled in as a URL, ref or path.
import { TerminalError } from '../errors.ts';
import type { Credentials, FileAtCommit } from './git.ts';
import { quoted, quotedUrl } from './quoted.ts';
import { checkSshUrl } from './ssh-url.ts';

/** A repository that is safe to hand to git. */
export interface Remote {
  /** Normalised, without credentials. */
  readonly url: string;
  readonly scheme: 'http' | 'https' | 'ssh';
  /** Scheme, host and port: where credentials may go. */
  readonly origin: string;
}

/** A file at a commit that is safe to hand to git. */
export interface Wanted extends Remote {
  readonly commit: string;
  readonly ref: string;
  /** From the root, no ./ and no empty parts. */
  readonly path: string;
}

/** The checked form of `file`. Throws TerminalError (InvalidRepository, InvalidCommit, InvalidRef, InvalidPath). */
export function checkFile(file: FileAtCommit): Wanted {
  return {
    ...checkUrl(file.url),
    commit: checkCommit(file.commit),
    ref: checkRef(file.ref),
    path: checkPath(file.path),
  };
}

/**
 * Throws TerminalError: InsecureCredentials where a password would cross the network in the clear, AuthenticationFailed
 * where an ssh server would ask for a key and there is none.
 */
export function checkCredentials(wanted: Remote, credentials: Credentials, allowInsecure: boolean): void {
  if (wanted.scheme === 'ssh') checkKeyIsThere(wanted, credentials);
  if (wanted.scheme !== 'http' || allowInsecure || !hasCredentials(credentials)) return;
  throw new TerminalError(
    'InsecureCredentials',
    `${wanted.url} is plain http: the password would cross the network in the clear. Write https:// in spec.repository, ` +
      'or start kube-git with -allow-insecure-credentials',
  );
}

function checkKeyIsThere({ url }: Remote, credentials: Credentials): void {
  if (credentials.sshPrivateKey !== undefined) return;
  const advice = 'name the Secret with the private key in spec.sshPrivateKeySecret';
  throw new TerminalError(
    'AuthenticationFailed',
    hasCredentials(credentials)
      ? `${url} is an ssh URL, and ssh takes a key, not a user name and password: ${advice}, or write an https:// URL in spec.repository`
      : `${url} is an ssh URL, which always needs a key: ${advice}`,
  );
}

/** Whether there is a name or a password to log in with over http. */
export function hasCredentials({ username, password }: Credentials): boolean {
  return Boolean(username) || Boolean(password);
}

const maxUrlCharacters = 2048; // beyond what servers accept in a request line of reasonable size
const example = 'write it as https://github.com/acme/app.git or git@github.com:acme/app.git';

/** The checked form of a clone URL. Throws TerminalError InvalidRepository. */
export function checkUrl(text: string): Remote {
  const ssh = text.length > maxUrlCharacters ? undefined : checkSshUrl(text);
  if (ssh) return { ...ssh, scheme: 'ssh' };
  // No spaces or control characters, no backslash (some parsers read it as a slash), no encoded line breaks or NUL, no @ before the path.
  const isPlain = /^https?:\/\/[A-Za-z0-9[][^\s\p{Cc}\\@/?#]*\/[^\s\p{Cc}\\?#]+$/iu.test(text);
  if (!isPlain || /%0[0ad]/i.test(text) || text.length > maxUrlCharacters || !URL.canParse(text)) {
    throw new TerminalError(
      'InvalidRepository',
      `spec.repository ${quotedUrl(text)} is no http(s) or ssh URL of a repository: ${example}`,
    );
  }
  const url = new URL(text);
  return { url: url.href, origin: url.origin, scheme: url.protocol === 'https:' ? 'https' : 'http' };
}

/** The full object id of a commit. Throws TerminalError InvalidCommit. */
export function checkCommit(text: string): string {
  const isId = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text) && !/^0+$/.test(text);
  if (isId) return text;
  throw new TerminalError(
    'InvalidCommit',
    `the commit ${quoted(text)} is no full object id: 40 or 64 hexadecimal digits`,
  );
}

const maxRefCharacters = 1024;

function checkRef(text: string): string {
  if (isFullRef(text)) return text;
  throw new TerminalError('InvalidRef', `the ref ${quoted(text)} is no full ref such as refs/heads/main`);
}

/** By the rules of git check-ref-format; every ref that git ever wrote passes. */
export function isFullRef(text: string): boolean {
  const parts = text.split('/');
  return (
    text.startsWith('refs/') &&
    text.length <= maxRefCharacters &&
    text.isWellFormed() &&
    parts.length >= 3 &&
    parts.every((part) => part !== '' && !part.startsWith('.') && !part.endsWith('.lock')) &&
    !/[\p{Cc} ~^:?*[\\]|\.\.|@\{|\.$/u.test(text)
  );
}

const maxPathBytes = 1024; // the CRD allows 512 characters

function checkPath(text: string): string {
  const parts = text.split('/');
  const path = parts.filter((part) => part !== '' && part !== '.').join('/');
  const problem = pathProblem(text, path, parts);
  if (problem === undefined) return path;
  throw new TerminalError(
    'InvalidPath',
    `spec.manifest ${quoted(text)} ${problem}: write the path of the manifest from the root of the repository, for example ci/job.yaml`,
  );
}

function pathProblem(text: string, path: string, parts: readonly string[]): string | undefined {
  if (parts.includes('..')) return 'contains ".."';
  if (path === '') return 'names no file';
  if (text.endsWith('/') || parts.at(-1) === '.') return 'is not the path of a file';
  if (/\p{Cc}/u.test(text) || !text.isWellFormed()) return 'contains control characters';
  if (Buffer.byteLength(path) > maxPathBytes) return `is longer than ${maxPathBytes} bytes`;
  return undefined;
}
