// Builds the Kubernetes programs from test/env/kubernetes with Go, once, into a cache outside the work tree.
// Called by binaries.ts. Knows nothing of how the programs are run.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { withLock } from './lock.ts';
import { startProcess, untilExit } from './processes.ts';
import { type Output, withProgress } from './progress.ts';
import { SetupError } from './setup-error.ts';

const sources = join(import.meta.dirname, 'kubernetes');
/** What the API server says of itself; the module version in go.mod. */
const version = 'v1.34.4';
const goWanted = { major: 1, minor: 24 };

export interface BuildOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly output: Output;
  /** Ends the build. */
  readonly signal?: AbortSignal | undefined;
}

/** The path of the built program; builds it first where the cache does not have it. */
export async function builtProgram(options: BuildOptions): Promise<string> {
  const { env, output, signal } = options;
  const folder = await cacheFolder(env);
  const program = join(folder, 'kubernetes');
  if (await isExecutable(program)) return program;
  await checkGo(env);
  const work = async (): Promise<void> => {
    if (!(await isExecutable(program))) await build(program, options);
  };
  const building = withLock(join(folder, 'lock'), work, signal);
  await withProgress(
    'Building etcd and Kubernetes for tests and demo with Go, once (usually about 5 minutes on two cores)',
    building,
    output,
  );
  return program;
}

/** Another folder for other sources, so that a change builds anew and going back does not. */
export async function cacheFolder(env: NodeJS.ProcessEnv): Promise<string> {
  const hash = createHash('sha256').update(version);
  for (const file of ['go.mod', 'go.sum', 'main.go']) hash.update(await readFile(join(sources, file)));
  const base = env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  return join(base, 'kube-git', `kubernetes-${hash.digest('hex').slice(0, 16)}`);
}

async function build(program: string, { env, signal }: BuildOptions): Promise<void> {
  const unfinished = `${program}.unfinished`;
  const logFile = `${program}.log`;
  await rm(logFile, { force: true });
  const flags = [
    '-trimpath',
    '-buildvcs=false',
    `-ldflags=-s -w -X k8s.io/component-base/version.gitVersion=${version}`,
  ];
  const go = await startProcess({
    name: 'go build',
    file: 'go',
    args: ['build', ...flags, '-o', unfinished, '.'],
    cwd: sources,
    env: { ...env, CGO_ENABLED: '0' },
    logFile,
  });
  const end = (): void => void go.stop();
  signal?.addEventListener('abort', end);
  const { code } = await untilExit(go);
  signal?.removeEventListener('abort', end);
  if (code !== 0) {
    await rm(unfinished, { force: true });
    signal?.throwIfAborted();
    throw new SetupError(`go build failed in test/env/kubernetes:\n${go.logTail()}`);
  }
  await rename(unfinished, program);
}

async function checkGo(env: NodeJS.ProcessEnv): Promise<void> {
  const advice =
    `Install Go ${goWanted.major}.${goWanted.minor} or newer (go.dev/dl), ` +
    'or set KUBEBUILDER_ASSETS to a folder that has etcd and kube-apiserver.';
  const said = await promisify(execFile)('go', ['version'], { env }).catch(() => undefined);
  if (said === undefined) throw new SetupError(`Go is needed to build etcd and kube-apiserver. ${advice}`);
  const [, major, minor] = /go(\d+)\.(\d+)/.exec(said.stdout) ?? [];
  if (Number(major) > goWanted.major || Number(minor) >= goWanted.minor) return;
  throw new SetupError(`This Go is too old (${said.stdout.trim()}) to build kube-apiserver. ${advice}`);
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
