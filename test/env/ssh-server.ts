// The real sshd on loopback, with host keys of its own, serving the repositories of a git server's root and nothing else.
// As root it runs in a mount namespace in which there is a user git, as at a forge; else one logs in as oneself.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './ports.ts';
import { startProcess } from './processes.ts';
import type { Sshd } from './sshd.ts';
import { waitFor } from './wait.ts';

export type KeyKind = 'ed25519' | 'ecdsa' | 'rsa';

const defaultHostKeys: readonly KeyKind[] = ['ed25519', 'ecdsa'];

export interface SshServerOptions {
  /** The folder with the repositories, as <name>.git. */
  readonly root: string;
  /** Who may log in: public keys, as ssh-keygen writes them. */
  readonly authorizedKeys: readonly string[];
  /** Default: ed25519 and ecdsa; an RSA key takes its time to make. */
  readonly hostKeys?: readonly KeyKind[];
  /** old: the client may not choose git's protocol version, so it is 0. */
  readonly like?: 'github' | 'old';
  /** A shell script that every login runs instead of git. */
  readonly serve?: string;
}

export interface SshServer {
  readonly port: number;
  /** ssh://git@127.0.0.1:port/acme/app.git */
  url(name: string): string;
  /** git@127.x.y.z:acme/app.git: that form has no port, so it needs root. Undefined without. */
  scpUrl(name: string): string | undefined;
  /** A line of known_hosts for `url`, or for `scpUrl`. */
  knownHost(kind: KeyKind, form?: 'url' | 'scp'): Promise<string>;
  /** What clients asked for so far: `<GIT_PROTOCOL> <command>` each. */
  requests(): Promise<string[]>;
  /** Replaces who may log in. */
  authorize(keys: readonly string[]): Promise<void>;
}

export interface ClientKey {
  readonly privateKey: string;
  readonly publicKey: string;
}

const isRoot = process.getuid?.() === 0;

/** A key pair from ssh-keygen; `args` choose its format or a passphrase. */
export async function makeKey(kind: KeyKind, args: readonly string[] = ['-N', '']): Promise<ClientKey> {
  const folder = await mkdtemp(join(tmpdir(), 'kube-git-ssh-key-'));
  try {
    const file = join(folder, 'key');
    await keygen(kind, file, args);
    return { privateKey: await readFile(file, 'utf8'), publicKey: await readFile(`${file}.pub`, 'utf8') };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function keygen(kind: KeyKind, file: string, args: readonly string[]): Promise<void> {
  await promisify(execFile)('ssh-keygen', ['-q', '-t', kind, '-C', 'test', '-f', file, ...args]);
}

/** Starts sshd; it ends after the test. */
export async function startSshServer(
  t: { after(fn: () => unknown): void },
  sshd: Sshd,
  options: SshServerOptions,
): Promise<SshServer> {
  const folder = await mkdtemp(join(tmpdir(), 'kube-git-sshd-'));
  const hostKeys = options.hostKeys ?? defaultHostKeys;
  for (const kind of hostKeys) await keygen(kind, join(folder, kind), ['-N', '']);
  const address = { port: await freePort(), scpHost: isRoot ? loopback() : undefined };
  const authorize = (keys: readonly string[]) => writeFile(join(folder, 'authorized_keys'), keys.join('\n'));
  await authorize(options.authorizedKeys);
  await writeFile(join(folder, 'serve'), options.serve ?? serveScript, { mode: 0o755 });
  await writeFile(join(folder, 'config'), configuration(folder, address, options));
  await writeFile(join(folder, 'passwd'), await users(folder));
  const logFile = join(folder, 'log');
  const server = await startProcess({ name: 'sshd', ...commandOf(sshd, folder), logFile });
  t.after(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });
  const listens = async () =>
    (await readFile(logFile, 'utf8')).includes(`Server listening on 127.0.0.1 port ${address.port}`);
  await waitFor(listens, { what: 'sshd to listen' });
  const user = isRoot ? 'git' : userInfo().username;
  const { port, scpHost } = address;
  return {
    port,
    authorize,
    url: (name) => `ssh://${user}@127.0.0.1:${port}/${name}.git`,
    scpUrl: (name) => (scpHost === undefined ? undefined : `${user}@${scpHost}:${name}.git`),
    knownHost: async (kind, form = 'url') => {
      const [type, key] = (await readFile(join(folder, `${kind}.pub`), 'utf8')).split(' ');
      return `${form === 'url' ? `[127.0.0.1]:${port}` : scpHost} ${type} ${key}`;
    },
    requests: async () => (await readFile(join(folder, 'requests'), 'utf8').catch(() => '')).split('\n').slice(0, -1),
  };
}

/** An address of this machine that no other test listens on at port 22: all of 127.0.0.0/8 is loopback on Linux. */
function loopback(): string {
  const part = () => 1 + Math.floor(Math.random() * 250);
  return `127.${part()}.${part()}.${part()}`;
}

/** sshd wants a user of its own, and /run/sshd. The mounts are seen by sshd alone. */
const inNamespace = `mount --bind "$1" /etc/passwd && mount -t tmpfs tmpfs /run && mkdir -m 755 /run/sshd && shift && exec "$@"`;

function commandOf({ file, libraries }: Sshd, folder: string) {
  const sshd = [file, '-D', '-e', '-f', join(folder, 'config')];
  const env = { PATH: process.env['PATH'] ?? '', ...(libraries && { LD_LIBRARY_PATH: libraries }) };
  if (!isRoot) return { file, args: sshd.slice(1), env };
  const unshare = ['--mount', '--propagation', 'private', '/bin/sh', '-c', inNamespace, 'sh', join(folder, 'passwd')];
  return { file: 'unshare', args: [...unshare, ...sshd], env };
}

/** git has our own user id, so that the repositories are its own. */
async function users(folder: string): Promise<string> {
  const home = join(folder, 'home');
  await mkdir(home);
  const others = (await readFile('/etc/passwd', 'utf8')).split('\n').filter((line) => !/^(git|sshd):|^$/.test(line));
  return [...others, 'sshd:*:65533:65534::/nonexistent:/bin/false', `git:*:0:0::${home}:/bin/sh`, ''].join('\n');
}

/** What every login runs: git's own restricted shell, below the root. */
export const serveScript = `#!/bin/sh
printf '%s %s\\n' "$GIT_PROTOCOL" "$SSH_ORIGINAL_COMMAND" >>"$REQUESTS"
cd "$ROOT" || exit 1
exec git shell -c "$(printf %s "$SSH_ORIGINAL_COMMAND" | sed "s|^\\(git-[a-z-]* '\\)/*|\\1|")"
`;

function configuration(
  folder: string,
  { port, scpHost }: { port: number; scpHost: string | undefined },
  { root, like, hostKeys = defaultHostKeys }: SshServerOptions,
): string {
  const path = process.env['PATH'] ?? '/usr/bin:/bin';
  return [
    `ListenAddress 127.0.0.1:${port}`,
    ...(scpHost === undefined ? [] : [`ListenAddress ${scpHost}:22`]),
    ...hostKeys.map((kind) => `HostKey ${join(folder, kind)}`),
    `AuthorizedKeysFile ${join(folder, 'authorized_keys')}`,
    `ForceCommand ${join(folder, 'serve')}`,
    `SetEnv ROOT=${root} REQUESTS=${join(folder, 'requests')} PATH=${path} GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null`,
    ...(like === 'old' ? [] : ['AcceptEnv GIT_PROTOCOL']),
    ...['PidFile none', 'UsePAM no', 'StrictModes no', 'PermitRootLogin yes', 'LogLevel VERBOSE'],
    ...['PasswordAuthentication no', 'KbdInteractiveAuthentication no', 'DisableForwarding yes', 'PermitTTY no'],
    '',
  ].join('\n');
}
