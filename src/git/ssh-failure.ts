// Why a fetch over ssh failed. ssh's own words decide: its log is apart from what the server says, and a server's text in
// it stays within its line, so that no server can pass for ssh. Called by failure.ts. Each wording has a test against a real sshd.
import { TerminalError, WaitingError } from '../errors.ts';
import { fingerprint } from './known-hosts.ts';
import { quoted } from './quoted.ts';
import type { SshReport } from './ssh.ts';
import type { Remote } from './validate.ts';

export interface SshFailure {
  readonly wanted: Remote;
  readonly report: SshReport;
  /** What git and the server said. */
  readonly words: string;
}

/** The error, or undefined where ssh did its part and git says why. */
export function explainSsh(failure: SshFailure): TerminalError | WaitingError | undefined {
  const { log } = failure.report;
  if (/^Host key verification failed\./m.test(log)) return refusedHost(failure);
  if (/^Load key /m.test(log)) return unreadableKey(log);
  if (/^Authenticated to /m.test(log)) return refusedRepository(failure);
  if (/: Permission denied \(|: Too many authentication failures/m.test(log)) return refusedKey(failure.wanted);
  return unreachable(failure);
}

function refusedHost({ wanted, report }: SshFailure): TerminalError {
  const { log, seen = '' } = report;
  const [host = '', kind = '', key = ''] = seen.split(' ');
  const shown = `the server of ${wanted.url} showed a ${kind} key with the fingerprint ${fingerprint(key)}`;
  const add = `If that is the fingerprint its owner publishes, add this line to spec.knownHosts or to the file of -ssh-known-hosts-file: ${host} ${kind} ${key}`;
  if (/^@ +WARNING: REVOKED HOST KEY/m.test(log)) {
    return new TerminalError('HostKeyMismatch', `${shown}, which is marked @revoked: do not trust it, ask its owner`);
  }
  if (/^@ +WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED/m.test(log)) {
    return new TerminalError(
      'HostKeyMismatch',
      `${shown}, which is not the one known for ${host}: somebody may stand in between, or the server has a new key. ${add}, and remove the old one`,
    );
  }
  return new TerminalError('HostKeyUnknown', `${shown}, and no ${kind} key is known for ${host}. ${add}`);
}

function unreadableKey(log: string): TerminalError {
  const why = /^Load key "[^\n]*": ([^\n]*)/m.exec(log)?.[1] ?? '';
  return new TerminalError(
    'KeyInvalid',
    `ssh cannot read the key that spec.sshPrivateKeySecret names (${why.trim()}): ed25519, ECDSA and RSA keys of at least 2048 bits work, as ssh-keygen writes them`,
  );
}

function refusedKey({ url }: Remote): TerminalError {
  return new TerminalError(
    'AuthenticationFailed',
    `the server of ${url} refused the key that spec.sshPrivateKeySecret names: add its public half there as a deploy key, or to an account that may read the repository`,
  );
}

/** How sshd with git, GitHub, GitLab, Bitbucket and Gitea say that there is no such repository for this key. */
const notThere =
  /not (?:be )?found|cannot find|does not exist|does not appear to be a git repository|unknown repository|access (?:was )?denied|permission|authori[sz]ed/i;

/** The key was good. What the server then says on its standard error is its own affair, and the only hint. */
function refusedRepository({ wanted, words }: SshFailure): TerminalError | undefined {
  const said = words.split('fatal: Could not read from remote repository.');
  const [before = ''] = said;
  if (said.length === 1 || !notThere.test(before)) return undefined;
  return new TerminalError(
    'RepositoryNotFound',
    `there is no repository at ${wanted.url}, or this key may not read it: check spec.repository, and where the key's public half is registered. The server says ${quoted(before.trim())}`,
  );
}

const shownCharacters = 300; // a condition's message stays readable

function unreachable({ wanted, report }: SshFailure): WaitingError {
  const lines = report.log.split('\n').map((line) => line.replaceAll(/\p{Cc}/gu, ' ').trim());
  const said = lines.filter((line) => line !== '').slice(-2);
  if (said.some((line) => line.startsWith('No user exists for uid'))) {
    const message =
      'ssh needs a name for the user kube-git runs as: its image or the host has no entry for it in /etc/passwd';
    return new WaitingError('FetchFailed', message);
  }
  const shown = said.join('; ').slice(0, shownCharacters) || 'ssh gave no reason';
  return new WaitingError('RepositoryUnreachable', `${wanted.url} cannot be reached: ${shown}`);
}
