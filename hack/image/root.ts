// The lower layer: Node, git, ssh and what they need, picked file by file from unpacked packages. No package manager, no
// perl, no program that runs with another's rights. Called by build.ts; knows nothing of layers.
import { chmod, copyFile, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { run } from '../../test/env/node/command.ts';
import type { Unpacked } from './debian.ts';
import { tellOrigin } from './origin.ts';
import { resolveIn } from './resolve.ts';

/** Whom kube-git runs as: the number that images without a package manager use, so that policies know it. */
export const user = 65_532;

export interface RootOptions extends Unpacked {
  /** Node's single binary, for the machine that builds. */
  readonly node: string;
  /** The folder to fill: missing or empty. */
  readonly target: string;
}

const nodeFile = 'usr/local/bin/node';
const certificateFolder = 'usr/share/ca-certificates/mozilla';

/** git runs itself for every step of a fetch and git-remote-https for the network; ssh-keygen tells fingerprints. */
const programs = [
  'usr/bin/git',
  'usr/lib/git-core/git-remote-http',
  'usr/bin/ssh',
  'usr/bin/ssh-keygen',
  'bin/dash',
  nodeFile,
];

const links = {
  'bin/sh': 'dash',
  'usr/lib/git-core/git': '../../bin/git',
  'usr/lib/git-core/git-remote-https': 'git-remote-http',
};

const folders = ['dev', 'etc/ssl/certs', 'proc', 'run', 'sys', 'tmp', 'usr/share/git-core/templates'];

/** By Node's name of the architecture: where Linux programs look for their loader. */
const loaders: Readonly<Record<string, string>> = {
  x64: '/lib64/ld-linux-x86-64.so.2',
  arm64: '/lib/ld-linux-aarch64.so.1',
};

/** Fills `target`; adds Node to the unpacked packages on the way. */
export async function makeRoot({ root, packages, node, target }: RootOptions): Promise<void> {
  const nodeInRoot = join(root, nodeFile);
  await mkdir(dirname(nodeInRoot), { recursive: true });
  await copyFile(node, nodeInRoot);

  for (const folder of folders) await mkdir(join(target, folder), { recursive: true });
  const files = [...programs, ...(await librariesOf(root))];
  for (const file of files) await keep(root, target, file);
  for (const [link, to] of Object.entries(links)) await symlink(to, join(target, link));
  await writeSettings(root, target);
  const owned = [...files.filter((file) => file !== nodeFile), ...(await certificatesIn(root))];
  const resolved = await Promise.all(owned.map((file) => resolveIn(root, file)));
  await tellOrigin({ root, packages, target, files: new Set(resolved) });
}

/** The loader and the libraries of all programs, as the loader itself finds them. */
async function librariesOf(root: string): Promise<readonly string[]> {
  const loader = loaders[process.arch];
  if (loader === undefined) throw new Error(`images are made for x64 and arm64, this is ${process.arch}`);
  const lists = await Promise.all(programs.map((program) => run(['chroot', root, loader, '--list', `/${program}`])));
  const paths = lists.flatMap((list) => [...list.matchAll(/(\/\S+) \(0x/g)].map(([, path = '']) => path.slice(1)));
  return [...new Set([loader.slice(1), ...paths])].sort();
}

/** Under its own name, whatever chain of links leads to it. */
async function keep(root: string, target: string, file: string): Promise<void> {
  await mkdir(dirname(join(target, file)), { recursive: true });
  await copyFile(join(root, await resolveIn(root, file)), join(target, file));
  await chmod(join(target, file), 0o755);
}

async function certificatesIn(root: string): Promise<readonly string[]> {
  const names = (await readdir(join(root, certificateFolder))).filter((name) => name.endsWith('.crt'));
  return names.sort().map((name) => join(certificateFolder, name));
}

async function writeSettings(root: string, target: string): Promise<void> {
  const names = await certificatesIn(root);
  const texts = await Promise.all(names.map((name) => readFile(join(root, name), 'utf8')));
  const settings = {
    'etc/group': `root:x:0:\nkube-git:x:${user}:\n`,
    'etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
    // ssh refuses to run as somebody who has no name.
    'etc/passwd': `root:x:0:0:root:/:/bin/sh\nkube-git:x:${user}:${user}:kube-git:/tmp:/bin/sh\n`,
    'etc/ssl/certs/ca-certificates.crt': texts.map((text) => `${text.trim()}\n`).join(''),
  };
  for (const [file, text] of Object.entries(settings)) await writeFile(join(target, file), text, { mode: 0o644 });
  await chmod(join(target, 'tmp'), 0o1777);
}
