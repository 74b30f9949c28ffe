// Which host keys a read over ssh trusts: those of GitHub, GitLab.com and Bitbucket Cloud, as their owners publish them
// (docs.github.com "GitHub's SSH key fingerprints" and "Using SSH over the HTTPS port", docs.gitlab.com "GitLab.com
// settings", bitbucket.org/site/ssh), and what the installation and the GitHook add. Called by ssh.ts. Pure.
import { createHash } from 'node:crypto';
import { TerminalError } from '../errors.ts';
import published from './known-hosts.json' with { type: 'json' };

/** Lines for a known_hosts file, with where they come from in the user's words, such as spec.knownHosts. */
export interface KnownHosts {
  readonly text: string;
  readonly from: string;
}

/** The text of a known_hosts file. Throws TerminalError KnownHostsInvalid where a line is none. */
export function knownHostsFile(added: readonly KnownHosts[]): string {
  const lines = Object.entries(published).flatMap(([hosts, keys]) => keys.map((key) => `${hosts} ${key}`));
  return [...lines, ...added.flatMap(linesOf), ''].join('\n');
}

function linesOf({ text, from }: KnownHosts): string[] {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const used = lines.filter((line) => line !== '' && !line.startsWith('#'));
  if (used.length === 0) throw invalid(from, 'has no line');
  const wrong = lines.findIndex((line) => used.includes(line) && !isKnownHost(line));
  if (wrong < 0) return used;
  throw invalid(from, `is wrong in line ${wrong + 1}`); // not shown: the reference may be to another secret
}

function invalid(from: string, what: string): TerminalError {
  return new TerminalError(
    'KnownHostsInvalid',
    `${from} ${what}: each line is the host, the kind of key and the key, as in ~/.ssh/known_hosts: git.example.com ssh-ed25519 AAAA…`,
  );
}

/** sshd(8), SSH_KNOWN_HOSTS FILE FORMAT: marker, hosts, kind, key, comment. The key itself begins with its kind. */
function isKnownHost(line: string): boolean {
  const [, kind = '', key = ''] =
    /^(?:@(?:cert-authority|revoked)[ \t]+)?\S+[ \t]+(\S+)[ \t]+([A-Za-z0-9+/]+={0,2})(?:[ \t].*)?$/.exec(line) ?? [];
  const blob = Buffer.from(key, 'base64');
  return kind !== '' && blob.length > 4 + kind.length && blob.toString('latin1', 4, 4 + kind.length) === kind;
}

/** What ssh and the forges' pages show of a key: SHA256:… . `key` is its base64. */
export function fingerprint(key: string): string {
  const digest = createHash('sha256').update(Buffer.from(key, 'base64')).digest('base64');
  return `SHA256:${digest.replace(/=+$/, '')}`;
}
