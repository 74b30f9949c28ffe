// The two ways to write a repository that is reached over ssh, checked before a process sees them: the host and the user
// become arguments of ssh, and the path a part of what the other side's shell is given (git quotes it). Called by validate.ts. Pure.
import { TerminalError } from '../errors.ts';
import { quotedUrl } from './quoted.ts';

/** Who one logs in as where the URL does not say: the user of all forges. */
const defaultUser = 'git';
const highestPort = 65_535;

// A host or user that begins with - would be an option of ssh. No spaces, control characters, backslashes, ? and #.
const user = '[A-Za-z0-9_][A-Za-z0-9._+-]*';
const host = '[A-Za-z0-9][A-Za-z0-9._-]*';
const address = String.raw`\[[0-9A-Fa-f:.]+\]`;
const path = String.raw`[^\s\p{Cc}\\?#]`;
const asUrl = new RegExp(`^ssh://(?:(${user})@)?(${host}|${address})(?::([0-9]{1,5}))?(/${path}+)$`, 'iu');
const asScp = new RegExp(`^${user}@(${host}):(?!-)${path}+$`, 'u');

/** The URL as git takes it, with a user. Undefined for what is no ssh URL at all; throws TerminalError InvalidRepository. */
export function checkSshUrl(text: string): { readonly url: string; readonly origin: string } | undefined {
  const [, scpHost] = asScp.exec(text) ?? [];
  if (scpHost !== undefined) return { url: text, origin: `ssh://${scpHost}` };
  if (!/^ssh:\/\//i.test(text)) return undefined;
  const [, name = defaultUser, server = '', port, rest = ''] = asUrl.exec(text) ?? [];
  const isPort = port === undefined || (Number(port) > 0 && Number(port) <= highestPort);
  // git decodes the path once.
  if (server === '' || !isPort || /%0[0ad]/i.test(rest)) {
    throw new TerminalError(
      'InvalidRepository',
      `spec.repository ${quotedUrl(text)} is no ssh URL of a repository: write it as git@github.com:acme/app.git or ssh://git@git.example.com:2222/acme/app.git`,
    );
  }
  const at = port === undefined ? server : `${server}:${port}`;
  return { url: `ssh://${name}@${at}${rest}`, origin: `ssh://${at}` };
}

/** Who to log in to, and as what that host knows the repository. */
export interface SshTarget {
  /** user@host */
  readonly destination: string;
  readonly port: string | undefined;
  readonly path: string;
}

/** What git makes of such a URL (its connect.c). Undefined where its path is no text, or one that git reads in a way of its own. */
export function sshTarget(url: string): SshTarget | undefined {
  return url.startsWith('ssh://') ? targetOfUrl(url) : targetOfScp(url);
}

function targetOfUrl(url: string): SshTarget | undefined {
  const [, name = defaultUser, server = '', port, rest = ''] = asUrl.exec(url) ?? [];
  try {
    const path = withoutRoot(decodeURIComponent(rest));
    return { destination: `${name}@${server.replaceAll(/[[\]]/g, '')}`, port, path };
  } catch {
    return undefined;
  }
}

function targetOfScp(url: string): SshTarget | undefined {
  const [, destination, path = ''] = /^([^@/]+@[^:/]+):(.+)$/.exec(url) ?? [];
  if (destination === undefined || /^(?:\/\/|[^/]~)/.test(path)) return undefined;
  return { destination, port: undefined, path: withoutRoot(path) };
}

/** A path in somebody's home is told without the slash before it. */
function withoutRoot(path: string): string {
  return path.startsWith('/~') ? path.slice(1) : path;
}
