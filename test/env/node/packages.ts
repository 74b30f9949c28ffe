// Finds the programs a node consists of, and brings the missing ones from Debian's (or Ubuntu's) packages. containerd,
// runc, the CNI plugins and busybox are only unpacked into our cache: installing them would start a system service,
// and would conflict with Docker's containerd.io and with Debian's dynamic busybox. Called by cluster-with-node.ts.
import { constants } from 'node:fs';
import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { run } from './command.ts';
import { isStaticProgram } from './elf.ts';
import { missingPrograms } from './requirements.ts';

export interface NodePrograms {
  /** The PATH under which containerd finds its shim, runc and its own tools. */
  readonly path: string;
  /** The folder of the CNI plugins `bridge`, `host-local` and `loopback`. */
  readonly cniPlugins: string;
  /** A busybox that needs no shared library, so that it alone makes an image. */
  readonly busybox: string;
}

export interface PackageOptions {
  /** Packages are unpacked below this folder, once for all runs. */
  readonly cache: string;
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

// Package -> a program in it. These are unpacked, not installed.
const unpacked = {
  containerd: 'containerd',
  runc: 'runc',
  'containernetworking-plugins': 'bridge',
  'busybox-static': 'busybox',
} as const;

type UnpackedPackage = keyof typeof unpacked;

// These are part of nearly every system and bring no service: installed where missing.
const installed = { iproute2: 'ip', 'util-linux': 'nsenter' } as const;

const systemFolders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
const pluginFolders = ['/usr/lib/cni', '/opt/cni/bin'];
const binaryFolders = ['usr/bin', 'usr/sbin', 'bin', 'sbin'];

/** Every program is there when this returns. Throws one sentence naming the packages when that cannot be reached. */
export async function ensureNodePrograms(options: PackageOptions): Promise<NodePrograms> {
  const missing = await missingKeys(installed, (_, program) => find(program, systemFolders));
  if (missing.length > 0) await install(missing, options);

  const absent = await missingKeys(unpacked, (name) => locate(name, options.cache));
  if (absent.length > 0) await unpack(absent, options);

  const programs = await locateAll(options.cache);
  await ensureRuncStarts(programs, options);
  return programs;
}

async function locateAll(cache: string): Promise<NodePrograms> {
  const [containerd, runc, plugin, busybox] = await Promise.all([
    located('containerd', cache),
    located('runc', cache),
    located('containernetworking-plugins', cache),
    located('busybox-static', cache),
  ]);
  const path = [...new Set([dirname(containerd), dirname(runc), ...systemFolders])].join(delimiter);
  return { path, cniPlugins: dirname(plugin), busybox };
}

async function located(name: UnpackedPackage, cache: string): Promise<string> {
  const path = await locate(name, cache);
  if (path === undefined) throw missingPrograms([name]);
  return path;
}

/** The system's program, else the one unpacked from the package. */
async function locate(name: UnpackedPackage, cache: string): Promise<string | undefined> {
  const root = join(cache, 'packages', name);
  const program = unpacked[name];
  if (name === 'containernetworking-plugins') return find(program, [...pluginFolders, join(root, 'usr/lib/cni')]);
  const own = binaryFolders.map((folder) => join(root, folder));
  if (name !== 'busybox-static') return find(program, [...systemFolders, ...own]);
  const system = await find(program, systemFolders);
  return system !== undefined && (await isStaticProgram(system)) ? system : find(program, own);
}

async function find(program: string, folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders) {
    const path = join(folder, program);
    if (await isExecutable(path)) return path;
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function missingKeys<K extends string>(
  table: Readonly<Record<K, string>>,
  look: (name: K, program: string) => Promise<string | undefined>,
): Promise<K[]> {
  const names = Object.keys(table) as K[];
  const found = await Promise.all(names.map((name) => look(name, table[name])));
  return names.filter((_, index) => found[index] === undefined);
}

/** runc is linked against libseccomp; an unpacked package brings no libraries. */
async function ensureRuncStarts(programs: NodePrograms, options: PackageOptions): Promise<void> {
  const version = () => run(['runc', '--version'], { env: { PATH: programs.path } });
  try {
    await version();
  } catch {
    await install(['libseccomp2'], options);
    await version();
  }
}

/** `--no-remove`: apt may add, never take away what the user has. */
async function install(packages: readonly string[], options: PackageOptions): Promise<void> {
  options.log(`installing ${packages.join(', ')}`);
  await update(packages, options);
  await apt(['install', '--yes', '--no-remove', '--no-install-recommends', ...packages], options);
}

async function unpack(packages: readonly UnpackedPackage[], options: PackageOptions): Promise<void> {
  options.log(`downloading ${packages.join(', ')}`);
  await update(packages, options);
  await mkdir(join(options.cache, 'packages'), { recursive: true });
  const work = await mkdtemp(join(options.cache, 'packages', '.unpack-'));
  try {
    await apt(['download', ...packages], { ...options, cwd: work });
    for (const file of await readdir(work)) await unpackOne(join(work, file), file.split('_', 1)[0] ?? file, options);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Unpacked beside its place and renamed into it: a killed run leaves no half package, and of two runs the first wins. */
async function unpackOne(file: string, name: string, options: PackageOptions): Promise<void> {
  await run(['dpkg-deb', '-x', file, `${file}.root`], { signal: options.signal });
  try {
    await rename(`${file}.root`, join(options.cache, 'packages', name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error;
  }
}

async function update(packages: readonly string[], options: PackageOptions): Promise<void> {
  if ((await find('apt-get', systemFolders)) === undefined) throw missingPrograms(packages);
  await apt(['update'], options);
}

async function apt(args: readonly string[], options: PackageOptions & { cwd?: string }): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const place = options.cwd === undefined ? {} : { cwd: options.cwd };
  // Downloads go to a folder that the unprivileged user _apt may not enter.
  const command = ['apt-get', '--quiet', '-o', 'APT::Sandbox::User=root', ...args];
  await run(command, { ...place, env, signal: options.signal });
}
