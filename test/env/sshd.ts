// Finds sshd, or brings it from Debian's (or Ubuntu's) packages. They are only unpacked into a cache: installing them would
// start a server that lets people in. Called by ssh-server.ts.
import { constants } from 'node:fs';
import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { run } from './node/command.ts';

export interface Sshd {
  /** sshd wants to be called by its whole path. */
  readonly file: string;
  /** A folder for LD_LIBRARY_PATH. */
  readonly libraries?: string;
}

const systemFile = '/usr/sbin/sshd';
/** sshd, and the one library of it that a machine without sshd may lack. */
const packages = ['openssh-server', 'libwrap0'];

/** sshd, or why there is none: a reason to leave tests out. */
export async function findSshd(): Promise<Sshd | string> {
  if (await isProgram(systemFile)) return { file: systemFile };
  const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'kube-git');
  const root = join(cache, 'sshd');
  const unpacked = { file: join(root, systemFile), libraries: await libraryFolder(root) };
  if (await isProgram(unpacked.file)) return unpacked;
  if (process.getuid?.() !== 0) return 'sshd is missing (Debian: apt-get install openssh-server)';
  try {
    await unpack(cache, root);
  } catch (error) {
    return `sshd is missing and its packages cannot be had: ${String(error)}`;
  }
  return { ...unpacked, libraries: await libraryFolder(root) };
}

/** usr/lib/<architecture>-linux-gnu */
async function libraryFolder(root: string): Promise<string> {
  const names = await readdir(join(root, 'usr/lib')).catch(() => []);
  return join(root, 'usr/lib', names.find((name) => name.endsWith('-linux-gnu')) ?? '');
}

async function isProgram(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** Unpacked beside its place and renamed into it: of two test files that start at once the first wins. */
async function unpack(cache: string, root: string): Promise<void> {
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, '.sshd-'));
  const apt = ['apt-get', '--quiet', '-o', 'APT::Sandbox::User=root']; // _apt may not enter our folder
  try {
    const download = () => run([...apt, 'download', ...packages], { cwd: work });
    await download().catch(async () => {
      await run([...apt, 'update']);
      await download();
    });
    for (const file of await readdir(work)) await run(['dpkg-deb', '-x', join(work, file), join(work, 'root')]);
    await rename(join(work, 'root'), root).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY') throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
