// ssh as git's way to the server: a key, known hosts and a configuration in the read's private folder, and nothing of the
// machine's own. Called by the session. What ssh itself says goes to a file of its own, apart from what the server says.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, WaitingError } from '../errors.ts';
import type { Environment } from './environment.ts';
import type { Credentials } from './git.ts';
import { type KnownHosts, knownHostsFile } from './known-hosts.ts';
import { keyFile } from './ssh-key.ts';

export interface SshOptions {
  readonly credentials: Credentials;
  /** The installation's known hosts, read anew each time; '' for none. */
  readonly knownHostsFile: string;
  /** How long to wait for a connection, and for a server that has fallen silent. */
  readonly silentSeconds: number;
}

/** What ssh said, and the host key it was shown. */
export interface SshReport {
  readonly log: string;
  /** host, kind and key, as a line of known_hosts; undefined where no key was shown. */
  readonly seen: string | undefined;
}

/** Writes what ssh needs below the session's folder. Throws TerminalError: KeyInvalid, KeyEncrypted, KnownHostsInvalid. */
export async function prepareSsh(folder: string, options: SshOptions): Promise<void> {
  const { credentials, silentSeconds } = options;
  const key = keyFile(credentials.sshPrivateKey ?? '');
  const hosts = knownHostsFile(await addedHosts(options));
  await mkdir(placeOf(folder), { mode: 0o700 });
  const write = (name: string, text: string) =>
    writeFile(join(placeOf(folder), name), text, { mode: 0o600, flag: 'wx' });
  await Promise.all([write('key', key), write('known_hosts', hosts), write('config', configuration(silentSeconds))]);
}

function placeOf(folder: string): string {
  return join(folder, 'ssh');
}

async function addedHosts({ credentials, knownHostsFile: path }: SshOptions): Promise<KnownHosts[]> {
  const own = credentials.knownHosts === undefined ? [] : [{ text: credentials.knownHosts, from: 'spec.knownHosts' }];
  if (path === '') return own;
  try {
    return [...own, { text: await readFile(path, 'utf8'), from: 'the file of -ssh-known-hosts-file' }];
  } catch (error) {
    throw new WaitingError('FetchFailed', `the file of -ssh-known-hosts-file cannot be read: ${messageOf(error)}`);
  }
}

/** What git needs to find it. The shell that git starts sees no text but this; the paths come as variables. */
export function sshEnvironment(folder: string): Environment {
  return {
    KUBE_GIT_SSH: placeOf(folder),
    GIT_SSH_COMMAND: 'exec ssh -F "$KUBE_GIT_SSH/config" -E "$KUBE_GIT_SSH/log"',
    GIT_SSH_VARIANT: 'ssh', // git hands the protocol version on (SendEnv GIT_PROTOCOL)
  };
}

/** What ssh needs to find it, and to hand on git's protocol version. */
export function sshArguments(folder: string): readonly string[] {
  return ['-F', join(placeOf(folder), 'config'), '-E', join(placeOf(folder), 'log'), '-o', 'SendEnv=GIT_PROTOCOL'];
}

/** Told the key the server shows, ssh asks for more known hosts: none are given, but the key is noted for the message. */
const noteKey = String.raw`/bin/sh -c 'if [ "$1" = HOSTNAME ]; then printf "%%s %%s %%s\\n" "$2" "$3" "$4" >>"$KUBE_GIT_SSH/seen"; fi' sh %I %H %t %K`;

/** ssh_config(5). With -F neither the user's nor the system's configuration is read. */
function configuration(silentSeconds: number): string {
  const settings = {
    BatchMode: 'yes',
    StrictHostKeyChecking: 'yes',
    UserKnownHostsFile: '"${KUBE_GIT_SSH}/known_hosts"',
    GlobalKnownHostsFile: '/dev/null',
    KnownHostsCommand: noteKey,
    CheckHostIP: 'no',
    UpdateHostKeys: 'no',
    VerifyHostKeyDNS: 'no',
    IdentityFile: '"${KUBE_GIT_SSH}/key"',
    IdentitiesOnly: 'yes',
    IdentityAgent: 'none',
    PreferredAuthentications: 'publickey',
    PasswordAuthentication: 'no',
    KbdInteractiveAuthentication: 'no',
    ForwardAgent: 'no',
    ForwardX11: 'no',
    ClearAllForwardings: 'yes',
    Tunnel: 'no',
    PermitLocalCommand: 'no',
    ControlMaster: 'no',
    ControlPath: 'none',
    ConnectionAttempts: '1',
    ConnectTimeout: String(silentSeconds),
    ServerAliveInterval: String(silentSeconds),
    ServerAliveCountMax: '1',
    LogLevel: 'VERBOSE', // says when the key was accepted
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name} ${value}\n`)
    .join('');
}

/** What ssh said in this folder; undefined where git did not start it. */
export async function readReport(folder: string): Promise<SshReport | undefined> {
  const [log, seen] = await Promise.all(['log', 'seen'].map((name) => readIfThere(join(placeOf(folder), name))));
  if (log === undefined) return undefined;
  return { log, seen: seen?.split('\n')[0] };
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
