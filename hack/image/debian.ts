// Debian's packages of git, ssh and certificates with all they need, unpacked into a folder and not installed: no script of
// theirs runs. Called by build.ts; knows nothing of images. mmdebstrap finds the packages; where it is not installed, it is
// unpacked into the work folder as well.
import { access, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../test/env/node/command.ts';
import { SetupError } from '../../test/env/setup-error.ts';

export interface Unpacked {
  /** The root of the file system. */
  readonly root: string;
  /** The packages as they came, by file. */
  readonly packages: readonly string[];
}

/** The release whose git and ssh the tests run with. */
const release = 'bookworm';
const wanted = ['git', 'openssh-client', 'ca-certificates', 'libstdc++6', 'dash'];

/** Unpacks below `folder`, which must exist. Throws SetupError where this is not root on a Debian. */
export async function unpackDebian(folder: string): Promise<Unpacked> {
  await checkMachine();
  const root = join(folder, 'root');
  const options = ['--quiet', '--mode=root', '--variant=extract', '--skip=cleanup/apt/cache'];
  await run([...(await mmdebstrap(folder)), ...options, `--include=${wanted.join(',')}`, release, root]);
  const archives = join(root, 'var/cache/apt/archives');
  const names = (await readdir(archives)).filter((name) => name.endsWith('.deb')).sort();
  const packages = names.map((name) => join(archives, name));
  if (packages.length === 0) throw new Error('mmdebstrap left no packages');
  return { root, packages };
}

async function checkMachine(): Promise<void> {
  const found = await Promise.all(['/usr/bin/apt-get', '/usr/bin/dpkg-deb', '/usr/bin/perl'].map(isThere));
  if (process.platform === 'linux' && process.getuid?.() === 0 && !found.includes(false)) return;
  throw new SetupError(
    'an image without Docker is made of Debian packages: run this as root on Debian, or build the Dockerfile with "docker build ."',
  );
}

async function mmdebstrap(folder: string): Promise<readonly string[]> {
  if (await isThere('/usr/bin/mmdebstrap')) return ['mmdebstrap'];
  // Downloads go to a folder that the unprivileged user _apt may not enter.
  const apt = ['apt-get', '--quiet', '-o', 'APT::Sandbox::User=root'];
  await run([...apt, 'update']);
  await run([...apt, 'download', 'mmdebstrap'], { cwd: folder });
  const [file] = (await readdir(folder)).filter((name) => name.startsWith('mmdebstrap_'));
  if (file === undefined) throw new SetupError('this Debian has no package mmdebstrap: use Debian 12 or newer');
  const place = join(folder, 'mmdebstrap');
  await run(['dpkg-deb', '-x', join(folder, file), place]);
  return ['perl', join(place, 'usr/bin/mmdebstrap')];
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
