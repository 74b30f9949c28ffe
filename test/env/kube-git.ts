// kube-git as a user runs it: a child process with flags. For tests that look at it from outside only.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { freePort } from './ports.ts';
import { waitFor } from './wait.ts';

const program = join(import.meta.dirname, '../../src/main.ts');

export interface KubeGitOptions {
  readonly kubeconfig: string;
  /** Another address for the API server, such as a proxy's. */
  readonly master?: string;
  /** The webhook secret; '' for none. Default: webhookSecret. */
  readonly secret?: string;
  /** The notification file's text. Default: no sinks. */
  readonly notifications?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Port for webhooks; default any free one. A restart wants the old one. */
  readonly port?: number;
  /** Return as soon as it listens, ready or not. */
  readonly early?: boolean;
  /** The file to run. Default: src/main.ts. */
  readonly program?: string;
  /** Called with its process id at once, for whoever may end it while it starts. */
  readonly onSpawn?: (pid: number) => void;
}

/** The secret kube-git is started with, for whoever signs. */
export const webhookSecret = 'a-webhook-secret-for-tests';

export interface LogLine {
  readonly level?: string;
  readonly msg?: string;
  readonly port?: number;
  readonly [field: string]: unknown;
}

export interface KubeGit {
  /** http://127.0.0.1:port, for webhooks. */
  readonly url: string;
  readonly port: number;
  /** http://127.0.0.1:port, for health and metrics. */
  readonly privateUrl: string;
  readonly pid: number;
  readonly lines: readonly LogLine[];
  /** Everything it wrote, for messages and for finding what must not be there. */
  output(): string;
  /** Replaces the notification file. */
  writeNotifications(content: string): Promise<void>;
  /** Ends it as a person does; returns the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
  /** SIGKILL; returns when it is gone. */
  kill(): Promise<void>;
}

/** Starts kube-git and waits until it is ready. `t.after` ends it. */
export async function startKubeGit(t: { after(fn: () => unknown): void }, options: KubeGitOptions): Promise<KubeGit> {
  const folder = await mkdtemp(join(tmpdir(), 'kube-git-test-'));
  const file = join(folder, 'notification.yaml');
  await writeFile(file, options.notifications ?? '{}');
  const child = launch(options, file, folder, options.port ?? (await freePort()));
  options.onSpawn?.(child.pid ?? 0);
  const { lines, output } = follow(child);
  const gone = once(child, 'exit');
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await gone;
  };
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) await kill();
    await rm(folder, { recursive: true, force: true });
  });
  const portOf = (msg: string): Promise<number> =>
    waitFor(
      () => {
        if (child.exitCode !== null) throw new Error(`kube-git ended: ${output()}`);
        return lines.find((line) => line.msg === msg)?.port;
      },
      { what: `kube-git to say "${msg}"; it said: ${output()}` },
    );
  const port = await portOf('webhook server listening');
  const privateUrl = `http://127.0.0.1:${await portOf('private server listening')}`;
  if (!options.early) {
    await waitFor(async () => (await fetch(`${privateUrl}/readyz`)).ok, { what: 'kube-git to be ready' });
  }
  return {
    ...{ port, privateUrl, lines, output, kill },
    url: `http://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    writeNotifications: (content) => writeFile(file, content),
    stop: async (signal = 'SIGINT') => {
      child.kill(signal);
      const [code] = await gone;
      return code;
    },
  };
}

/** Runs the program with these arguments to its end, which must come by itself. Nothing of our environment reaches it but `more`. */
export async function runToExit(
  args: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const env = { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', ...more };
  const child = spawn(process.execPath, [program, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 20_000,
  });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code: code as number | null, stdout, stderr };
}

function launch(options: KubeGitOptions, file: string, folder: string, port: number): ChildProcess {
  const flags = [
    ...['-kubeconfig', options.kubeconfig, '-notification-config-file', file],
    ...['-webhook-port', String(port), '-private-port', '0', '-bind-address', '127.0.0.1'],
    // As the kubeconfig's own user: namespaces of tests have no account for it.
    '-default-service-account=',
    ...(options.master ? ['-master', options.master] : []),
    ...(options.args ?? []),
  ];
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    TMPDIR: folder,
    GITHUB_WEBHOOK_SECRET: options.secret ?? webhookSecret,
    // As a container that is started anew in its pod: it goes on with the Lease that it has.
    POD_NAME: 'kube-git-of-the-test',
    ...options.env,
  };
  return spawn(process.execPath, [options.program ?? program, ...flags], { env, stdio: ['ignore', 'pipe', 'pipe'] });
}

function follow(child: ChildProcess): { lines: LogLine[]; output: () => string } {
  const lines: LogLine[] = [];
  const raw: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on('line', (line) => {
      raw.push(line);
      if (line.startsWith('{')) lines.push(JSON.parse(line) as LogLine);
    });
  }
  return { lines, output: () => raw.join('\n') };
}
