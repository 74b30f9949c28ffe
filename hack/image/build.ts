// The container image, made without Docker: two layers, one of Debian's files and Node, one of the program. The same
// sources and the same packages of the day give the same digest. Called by main.ts and by tests that need the image.
import { chmod, copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { version } from '../../src/config.ts';
import { bundle } from '../bundle.ts';
import { type Archive, writeArchive } from './archive.ts';
import { unpackDebian } from './debian.ts';
import { layerOf } from './layer.ts';
import { makeRoot, user } from './root.ts';

const projectRoot = join(import.meta.dirname, '../..');

export interface ImageOptions {
  /** The full name, such as docker.io/library/kube-git:1.0. */
  readonly name: string;
  /** The archive to write. */
  readonly file: string;
  readonly log: (line: string) => void;
}

/** As Go and Debian call it. */
export const architecture = process.arch === 'x64' ? 'amd64' : process.arch;

/** Takes about a minute on two cores. Throws SetupError where it cannot be done on this machine. */
export async function buildImage({ name, file, log }: ImageOptions): Promise<Archive> {
  const folder = await mkdtemp(join(tmpdir(), 'kube-git-image-'));
  const inFolder = (part: string): string => join(folder, part);
  try {
    log('unpacking Debian packages: git, ssh, certificates');
    const unpacked = await unpackDebian(folder);
    await makeRoot({ ...unpacked, node: nodeBinary(), target: inFolder('base') });
    await makeProgram(inFolder('program'));
    log('packing');
    const layers = [
      await layerOf(inFolder('base'), inFolder('layer.tar')),
      await layerOf(inFolder('program'), inFolder('layer.tar')),
    ];
    return await writeArchive({ name, architecture, layers, config }, file, inFolder('layout'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const program = 'usr/lib/kube-git/kube-git.mjs';

/** What `docker inspect` shows. Flags are given as arguments: args in a pod. */
export const config = {
  User: `${user}:${user}`,
  Entrypoint: ['/usr/local/bin/node', `/${program}`],
  Env: ['PATH=/usr/local/bin:/usr/bin:/bin', 'NODE_ENV=production'],
  WorkingDir: '/tmp',
  ExposedPorts: { '8080/tcp': {}, '8081/tcp': {} },
  Labels: {
    'org.opencontainers.image.title': 'kube-git',
    'org.opencontainers.image.description': 'A push runs this Job or Workflow in my cluster',
    'org.opencontainers.image.version': version,
    'org.opencontainers.image.licenses': 'Apache-2.0',
  },
};

async function makeProgram(target: string): Promise<void> {
  const place = join(target, program);
  await mkdir(join(place, '..'), { recursive: true });
  await bundle(place);
  await rm(`${place}.map`); // for a debugger; a stack trace names functions without it
  const licence = join(place, '../LICENSE');
  await copyFile(join(projectRoot, 'LICENSE'), licence);
  await chmod(licence, 0o644);
}

/** The one that runs this: npm's package of Node is that one file. */
function nodeBinary(): string {
  return process.execPath;
}
