// Builds programs with Go, once, into a cache outside the work tree: Kubernetes, Argo Workflows, Gitea. Each is described
// in the folder of its Go module (programs.ts). Knows nothing of how the programs are run.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, copyFile, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { copyTree } from './copy-tree.ts';
import { withLock } from './lock.ts';
import { startProcess, untilExit } from './processes.ts';
import { type Output, withProgress } from './progress.ts';
import { SetupError } from './setup-error.ts';

/** What is built from one Go module of ours. */
export interface GoBuild {
  /** The cache's folder begins with it. */
  readonly name: string;
  /** For a person, after "Building" and "is needed to build". */
  readonly what: string;
  /** How long it takes with nothing in Go's own cache, for a person. */
  readonly usually: string;
  /** The folder of go.mod and go.sum. */
  readonly sources: string;
  /** The other files of that folder that go into the build. */
  readonly files: readonly string[];
  /** Program -> the package it is built from. */
  readonly programs: Readonly<Record<string, string>>;
  /** Added to those that all builds have. */
  readonly flags: readonly string[];
  /** Whether it has parts in C: then a C compiler is needed. */
  readonly cgo: boolean;
  readonly goWanted: { readonly major: number; readonly minor: number };
  /** What a person can do other than install Go, after "Install Go …". */
  readonly otherwise?: string;
  /** Built from a vendored copy into which these files are put first: path below vendor/ -> path in `sources`. */
  readonly patches?: Readonly<Record<string, string>>;
  /** Kept beside the programs: name in the cache -> a folder of a module that the build uses. */
  readonly data?: Readonly<Record<string, { readonly module: string; readonly folder: string }>>;
}

export interface BuildOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly output: Output;
  /** Ends the build. */
  readonly signal?: AbortSignal | undefined;
}

/** The folder that has the programs and the data by their names; builds them first where they are not there. */
export async function builtFolder(build: GoBuild, options: BuildOptions): Promise<string> {
  const { env, output, signal } = options;
  const folder = await cacheFolder(build, env);
  if (await isBuilt(build, folder)) return folder;
  await checkGo(build, env);
  if (build.cgo) await checkCompiler(build, env);
  const work = async (): Promise<void> => {
    if (!(await isBuilt(build, folder))) await buildAll(build, folder, options);
  };
  const building = withLock(join(folder, 'lock'), work, signal);
  await withProgress(`Building ${build.what} with Go, once (usually ${build.usually})`, building, output);
  return folder;
}

/** Another folder for other sources or flags, so that a change builds anew and going back does not. */
export async function cacheFolder(build: GoBuild, env: NodeJS.ProcessEnv): Promise<string> {
  const { cgo, data, flags, patches, programs } = build;
  const hash = createHash('sha256').update(JSON.stringify({ cgo, data, flags, patches, programs }));
  for (const file of ['go.mod', 'go.sum', ...build.files]) hash.update(await readFile(join(build.sources, file)));
  const base = env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  return join(base, 'kube-git', `${build.name}-${hash.digest('hex').slice(0, 16)}`);
}

/** Programs get their names last of all, so where they are the data is too. */
async function isBuilt({ programs }: GoBuild, folder: string): Promise<boolean> {
  const found = await Promise.all(Object.keys(programs).map((name) => isExecutable(join(folder, name))));
  return found.every((there) => there);
}

/** Runs Go with these arguments in `cwd`. */
type RunGo = (cwd: string, args: readonly string[]) => Promise<void>;

async function buildAll(build: GoBuild, folder: string, options: BuildOptions): Promise<void> {
  const logFile = join(folder, 'build.log');
  const vendored = join(folder, 'vendored');
  await rm(logFile, { force: true });
  const go: RunGo = (cwd, args) => runGo(build, { ...options, cwd, args, logFile });
  try {
    const { cwd, flags } = await sourcesOf(build, vendored, go);
    for (const [name, from] of Object.entries(build.programs)) {
      const all = ['-trimpath', '-buildvcs=false', ...flags, ...build.flags];
      await go(cwd, ['build', ...all, '-o', join(folder, `${name}.unfinished`), from]);
    }
    for (const name of Object.keys(build.data ?? {})) await keepData(build, name, { ...options, folder });
    for (const name of Object.keys(build.programs)) {
      await rename(join(folder, `${name}.unfinished`), join(folder, name));
    }
  } finally {
    await rm(vendored, { recursive: true, force: true });
    for (const name of Object.keys(build.programs)) await rm(join(folder, `${name}.unfinished`), { force: true });
  }
}

/** Where to build: in our folder, or, where modules must be patched, in a copy beside their vendored sources. */
async function sourcesOf({ sources, patches }: GoBuild, vendored: string, go: RunGo) {
  if (patches === undefined) return { cwd: sources, flags: [] };
  await mkdir(vendored, { recursive: true });
  for (const file of ['go.mod', 'go.sum']) await copyFile(join(sources, file), join(vendored, file));
  await go(vendored, ['mod', 'vendor']);
  for (const [path, file] of Object.entries(patches)) {
    await copyFile(join(sources, file), join(vendored, 'vendor', path));
  }
  return { cwd: vendored, flags: ['-mod=vendor'] };
}

async function keepData(build: GoBuild, name: string, { env, folder }: BuildOptions & { folder: string }) {
  const { module = '', folder: from = '' } = build.data?.[name] ?? {};
  const list = ['list', '-m', '-f', '{{.Dir}}', module];
  const { stdout } = await promisify(execFile)('go', list, { cwd: build.sources, env });
  await rm(join(folder, name), { recursive: true, force: true });
  await copyTree(join(stdout.trim(), from), join(folder, name));
}

interface GoCommand extends BuildOptions {
  readonly cwd: string;
  readonly args: readonly string[];
  readonly logFile: string;
}

async function runGo({ cgo, sources }: GoBuild, { args, cwd, env, logFile, signal }: GoCommand): Promise<void> {
  signal?.throwIfAborted();
  const name = `go ${args[0]}`;
  const goEnv = { ...env, CGO_ENABLED: cgo ? '1' : '0' };
  const go = await startProcess({ name, file: 'go', args, cwd, env: goEnv, logFile });
  const end = (): void => void go.stop();
  signal?.addEventListener('abort', end);
  const { code } = await untilExit(go);
  signal?.removeEventListener('abort', end);
  if (code === 0) return;
  signal?.throwIfAborted();
  const where = relative(dirname(dirname(import.meta.dirname)), sources);
  throw new SetupError(`${name} failed in ${where}:\n${go.logTail()}`);
}

async function checkGo({ goWanted, otherwise = '', what }: GoBuild, env: NodeJS.ProcessEnv): Promise<void> {
  const advice = `Install Go ${goWanted.major}.${goWanted.minor} or newer (go.dev/dl)${otherwise}.`;
  const said = await promisify(execFile)('go', ['version'], { env }).catch(() => undefined);
  if (said === undefined) throw new SetupError(`Go is needed to build ${what}. ${advice}`);
  const [, major, minor] = /go(\d+)\.(\d+)/.exec(said.stdout) ?? [];
  if (Number(major) > goWanted.major || Number(minor) >= goWanted.minor) return;
  throw new SetupError(`This Go is too old (${said.stdout.trim()}) to build ${what}. ${advice}`);
}

async function checkCompiler({ what }: GoBuild, env: NodeJS.ProcessEnv): Promise<void> {
  const compiler = env['CC'] || 'gcc';
  await promisify(execFile)(compiler, ['--version'], { env }).catch(() => {
    throw new SetupError(
      `A C compiler is needed to build ${what}. Install gcc (Debian: apt-get install gcc libc6-dev).`,
    );
  });
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
