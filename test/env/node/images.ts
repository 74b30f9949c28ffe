// Makes the one image a cluster begins with: the static busybox and a link for every command it knows. Called by
// cluster-with-node.ts; handed out to containerd by registry.ts under the names manifests use.
import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { arch } from 'node:os';
import { join } from 'node:path';
import { run } from './command.ts';

/** A content-addressed piece of an image. The layer is a file's worth of bytes; it is 2 MB for busybox. */
export interface Blob {
  readonly mediaType: string;
  readonly digest: string;
  readonly bytes: Buffer;
}

export interface Image {
  readonly manifest: Blob;
  readonly blobs: readonly Blob[];
}

export interface ImageOptions {
  /** A static busybox. */
  readonly busybox: string;
  /** An empty or missing folder to work in. */
  readonly folder: string;
  readonly signal?: AbortSignal | undefined;
}

/** This machine's, as images name it. */
export const imageArchitecture = arch() === 'x64' ? 'amd64' : arch();
export const imageEnvironment = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'];

/** Images by repository name, each with the tag `latest`. `kubegit/pause` holds a pod's namespaces, as kubelet's pause image does. */
export async function makeImages(options: ImageOptions): Promise<ReadonlyMap<string, Image>> {
  const layer = blob('application/vnd.oci.image.layer.v1.tar', await rootFileSystem(options));
  const shell = imageOf(layer, ['sh']);
  const pause = imageOf(layer, ['sleep', '2147483647']); // the longest that fits into 31 bits: 68 years
  return new Map([
    ['library/busybox', shell],
    ['library/alpine', shell],
    ['kubegit/pause', pause],
  ]);
}

function imageOf(layer: Blob, command: readonly string[]): Image {
  const config = json('application/vnd.oci.image.config.v1+json', {
    architecture: imageArchitecture,
    os: 'linux',
    config: { Cmd: command, Env: imageEnvironment },
    rootfs: { type: 'layers', diff_ids: [layer.digest] },
  });
  const manifest = json('application/vnd.oci.image.manifest.v1+json', {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: descriptor(config),
    layers: [descriptor(layer)],
  });
  return { manifest, blobs: [config, layer] };
}

function json(mediaType: string, value: unknown): Blob {
  return blob(mediaType, Buffer.from(JSON.stringify(value)));
}

function blob(mediaType: string, bytes: Buffer): Blob {
  return { mediaType, bytes, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}` };
}

function descriptor({ mediaType, digest, bytes }: Blob): { mediaType: string; digest: string; size: number } {
  return { mediaType, digest, size: bytes.length };
}

async function rootFileSystem(options: ImageOptions): Promise<Buffer> {
  const root = await makeRoot(options);
  const file = join(options.folder, 'layer.tar');
  await packFolder(root, file, options.signal);
  return readFile(file);
}

/** A folder with busybox, and the links and folders that scripts expect of a small Linux. */
export async function makeRoot({ busybox, folder, signal }: ImageOptions): Promise<string> {
  const root = join(folder, 'root');
  for (const name of ['bin', 'etc', 'root', 'tmp', 'usr/bin', 'var/tmp'])
    await mkdir(join(root, name), { recursive: true });
  for (const name of ['tmp', 'var/tmp']) await chmod(join(root, name), 0o1777);
  await copyFile(busybox, join(root, 'bin/busybox'));
  const applets = (await run([busybox, '--list'], { signal })).split('\n').filter((name) => /^[^/]+$/.test(name));
  for (const name of applets) if (name !== 'busybox') await symlink('busybox', join(root, 'bin', name));
  await symlink('../../bin/busybox', join(root, 'usr/bin/env')); // for scripts that begin with #!/usr/bin/env sh
  await writeFile(
    join(root, 'etc/passwd'),
    'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n',
  );
  await writeFile(join(root, 'etc/group'), 'root:x:0:\nnobody:x:65534:\n');
  return root;
}

/** Writes a tar archive of the folder; the same folder always gives the same bytes. */
export async function packFolder(folder: string, file: string, signal: AbortSignal | undefined): Promise<void> {
  const owner = ['--owner', '0', '--group', '0', '--numeric-owner'];
  await run(['tar', '-C', folder, ...owner, '--sort', 'name', '--mtime', '@0', '-cf', file, '.'], { signal });
}
