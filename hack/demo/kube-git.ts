// kube-git as a user runs it: a program with flags, a secret in its environment and a log.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startProcess } from '../../test/env/processes.ts';
import { waitFor } from '../../test/env/wait.ts';
import type { Cleanup } from './cleanup.ts';

export interface RunningKubeGit {
  /** Where the forge sends its webhooks. */
  readonly webhookUrl: string;
  /** http://127.0.0.1:port of /healthz, /readyz and /metrics. */
  readonly privateUrl: string;
  readonly logFile: string;
  logTail(lines: number): string;
  /** Rejects when it ends; never resolves. */
  readonly ended: Promise<never>;
}

export interface KubeGitOptions {
  readonly kubeconfig: string;
  readonly notificationFile: string;
  readonly secret: string;
  /** For its log and its own temporary files. */
  readonly folder: string;
}

const program = join(import.meta.dirname, '../../src/main.ts');
const readyWithinMs = 60_000; // it takes one to two seconds on an idle machine
const logTailLines = 20;

/** Starts kube-git and waits until it is ready. Throws with the end of its log when it does not become so. */
export async function startKubeGit(options: KubeGitOptions, cleanup: Cleanup): Promise<RunningKubeGit> {
  const logFile = join(options.folder, 'kube-git.log');
  const running = await startProcess({
    name: 'kube-git',
    file: process.execPath,
    args: ['--disable-warning=ExperimentalWarning', program, ...flagsOf(options)],
    env: environmentOf(options),
    logFile,
  });
  cleanup.add('end kube-git', () => running.stop('SIGINT')); // as Ctrl-C does
  const ended = running.exited.then(({ code, signal }): never => {
    throw new Error(`kube-git ended by itself (${signal ?? `exit code ${code}`}).\n${running.logTail(logTailLines)}`);
  });
  ended.catch(() => {}); // whoever waits for something races against it
  const portOf = (server: string) => untilSaid(logFile, `${server} server listening`);
  const ready = async (): Promise<Pick<RunningKubeGit, 'webhookUrl' | 'privateUrl'>> => {
    const webhookUrl = `http://127.0.0.1:${await portOf('webhook')}/github`;
    const privateUrl = `http://127.0.0.1:${await portOf('private')}`;
    const isReady = async () => (await fetch(`${privateUrl}/readyz`)).ok;
    await waitFor(isReady, { what: 'kube-git to be ready', deadlineMs: readyWithinMs });
    return { webhookUrl, privateUrl };
  };
  const urls = await Promise.race([ready(), ended]);
  return { ...urls, logFile, logTail: (lines) => running.logTail(lines), ended };
}

function flagsOf({ kubeconfig, notificationFile }: KubeGitOptions): string[] {
  return [
    ...['-kubeconfig', kubeconfig, '-notification-config-file', notificationFile],
    ...['-webhook-port', '0', '-private-port', '0', '-bind-address', '127.0.0.1'],
    ...['-default-service-account=', '-log-level', 'info'],
  ];
}

/** The user's own environment, for proxies and login plugins; but never their KUBECONFIG, and no proxy before the forge. */
function environmentOf({ secret, folder }: KubeGitOptions): NodeJS.ProcessEnv {
  const { KUBECONFIG: _, NO_PROXY, no_proxy: noProxy = NO_PROXY, ...env } = process.env;
  const direct = [noProxy, '127.0.0.1'].filter(Boolean).join(',');
  return { ...env, NO_PROXY: direct, no_proxy: direct, TMPDIR: folder, GITHUB_WEBHOOK_SECRET: secret };
}

/** The port in the log line that has this message. */
function untilSaid(logFile: string, message: string): Promise<number> {
  const find = async (): Promise<number | undefined> => {
    const lines = (await readFile(logFile, 'utf8')).split('\n').filter((line) => line.includes(message));
    return (JSON.parse(lines[0] ?? '{}') as { port?: number }).port;
  };
  return waitFor(find, { what: `kube-git to log "${message}"`, deadlineMs: readyWithinMs });
}
