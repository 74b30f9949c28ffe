// A real forge on this machine: Gitea with git over http and ssh, webhooks and commit statuses. Throw-away: random ports,
// a folder of its own, nothing left after stop() or after the end of this program. Needs no cluster.
import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../../../src/errors.ts';
import { builtFolder } from '../build.ts';
import { makeDataFolder } from '../data-folder.ts';
import { run } from '../node/command.ts';
import { freePort } from '../ports.ts';
import { type RunningProcess, startProcess } from '../processes.ts';
import { waitFor } from '../wait.ts';
import { appIni, databaseIn } from './app-ini.ts';
import { GiteaClient } from './client.ts';
import { type GiteaDelivery, readDeliveries } from './deliveries.ts';
import { makeHostKey } from './host-key.ts';
import { gitea } from './programs.ts';

export interface GiteaOptions {
  /** Where it listens, and what its URLs say. Default 127.0.0.1; for pods the cluster's hostAddress. */
  readonly address?: string;
  /** Progress, one line at a time. */
  log(line: string): void;
  /** Ends the start early. */
  readonly signal?: AbortSignal;
}

export interface Gitea extends GiteaClient {
  /** The line of known_hosts that vouches for its ssh server. */
  readonly knownHosts: string;
  /** Those of a webhook that are over, answered or not, oldest first. */
  deliveries(webhook: number): readonly GiteaDelivery[];
  /** The last lines it wrote. */
  logTail(lines?: number): string;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

/** Up takes 3 s here; a machine busy with a build may need many times that. */
const readyWithinMs = 120_000;
const username = 'acme';

/** Returns when it answers, with an admin. Builds Gitea first where that was not yet done (minutes, told to `log`). */
export async function startGitea({ address = '127.0.0.1', log, signal }: GiteaOptions): Promise<Gitea> {
  const output = { write: (text: string) => log(text.trimEnd()) };
  const files = await builtFolder(gitea, { env: process.env, output, signal });
  const begun = performance.now();
  const folder = await makeDataFolder('gitea');
  const undo: (() => Promise<void>)[] = [() => rm(folder, { recursive: true, force: true, maxRetries: 3 })];
  const stop = async (): Promise<void> => {
    for (const step of undo.splice(0).toReversed()) await step();
  };
  try {
    const program = join(files, 'gitea');
    const { knownHosts, port } = await configure({ address, files, folder });
    const server = await startProcess({ name: 'gitea', ...commandOf({ program, folder }, ['web']), ...logTo(folder) });
    undo.push(() => server.stop());
    const url = `http://${address}:${port}`;
    await untilReady(url, server, signal);
    const client = new GiteaClient({ url, username, ...(await createAdmin({ program, folder })) });
    log(`Gitea is ready at ${url} after ${((performance.now() - begun) / 1000).toFixed(1)} s`);
    const deliveries = (webhook: number) => readDeliveries(databaseIn(folder), webhook);
    return Object.assign(client, { knownHosts, deliveries, logTail: (lines?: number) => server.logTail(lines), stop });
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Place {
  readonly program: string;
  readonly folder: string;
}

/** Writes app.ini and the host key. */
async function configure(options: { readonly address: string; readonly files: string; readonly folder: string }) {
  const { address, folder } = options;
  const [port, sshPort] = [await freePort(address), await freePort(address)];
  const hostKey = join(folder, 'host-key');
  const { privateKey, publicKey } = makeHostKey();
  await writeFile(hostKey, privateKey, { mode: 0o600 });
  await writeFile(join(folder, 'app.ini'), appIni({ ...options, port, sshPort, hostKey }), { mode: 0o600 });
  return { port, knownHosts: `[${address}]:${sshPort} ${publicKey}\n` };
}

/** With nothing of this user's environment or git settings. */
function commandOf({ folder, program }: Place, args: readonly string[]) {
  const env = { PATH: process.env['PATH'], HOME: folder, USER: userInfo().username };
  return { file: program, args: ['--config', join(folder, 'app.ini'), ...args], env, cwd: folder };
}

function logTo(folder: string): { logFile: string } {
  return { logFile: join(folder, 'gitea.log') };
}

async function untilReady(url: string, server: RunningProcess, signal: AbortSignal | undefined): Promise<void> {
  const isReady = async (): Promise<'ready' | 'ended' | false> => {
    if (server.exit() !== undefined) return 'ended';
    return (await fetch(`${url}/api/healthz`)).ok && 'ready';
  };
  const options = { what: 'Gitea to be ready', deadlineMs: readyWithinMs, everyMs: 100, signal };
  const state = await waitFor(isReady, options).catch((error: unknown) => {
    signal?.throwIfAborted();
    return messageOf(error);
  });
  if (state !== 'ready') throw new Error(`Gitea did not start (${state}):\n${server.logTail()}`);
}

/** Gitea makes up the password and the token itself, so that neither stands in a command line. */
async function createAdmin(place: Place): Promise<{ password: string; token: string }> {
  const token = ['--access-token', '--access-token-name', `tests-${randomBytes(4).toString('hex')}`];
  const user = ['--username', username, '--email', `${username}@example.test`, '--admin'];
  const secrets = ['--random-password', '--must-change-password=false', ...token, '--access-token-scopes', 'all'];
  const { file, args, env, cwd } = commandOf(place, ['admin', 'user', 'create', ...user, ...secrets]);
  const said = await run([file, ...args], { env, cwd });
  const password = /random password is '(.+)'/.exec(said)?.[1];
  const accessToken = /token was successfully created\.\.\. (\w+)/.exec(said)?.[1];
  if (!password || !accessToken) throw new Error('gitea admin user create printed no password or no token');
  return { password, token: accessToken };
}
