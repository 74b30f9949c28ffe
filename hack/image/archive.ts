// An image as one file: an OCI layout in a tar archive, as the OCI image specification has it, with the manifest.json that
// `docker load` read before it knew OCI. Called by build.ts; knows nothing of what is in the layers.
import { createHash } from 'node:crypto';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pack } from './tar.ts';

/** A piece of an image, named by the digest of its content. */
interface Blob {
  readonly mediaType: string;
  readonly digest: string;
  readonly bytes: Buffer;
}

export interface Layer {
  readonly blob: Blob;
  /** Digest of the layer's archive before it was compressed. */
  readonly diffId: string;
}

export interface Image {
  /** Its full name, such as docker.io/library/kube-git:1.0. */
  readonly name: string;
  /** As Go calls it: amd64, arm64. */
  readonly architecture: string;
  /** From the lowest up. */
  readonly layers: readonly Layer[];
  /** What a container of it runs: User, Entrypoint, Env and so on. */
  readonly config: Readonly<Record<string, unknown>>;
}

export interface Archive {
  readonly bytes: number;
  /** Of the manifest: what image@sha256:… names. */
  readonly digest: string;
}

/** Nothing in an image says when it was built: the same content is the same image. */
const created = '1970-01-01T00:00:00Z';

/** Writes the archive to `file`; `folder` is a missing or empty one to work in. */
export async function writeArchive(image: Image, file: string, folder: string): Promise<Archive> {
  const { config, manifest } = describe(image);
  const layers = image.layers.map(({ blob }) => blob);
  await mkdir(join(folder, blobs), { recursive: true });
  for (const blob of [config, manifest, ...layers]) await writeFile(join(folder, pathOf(blob)), blob.bytes);
  const files = {
    'oci-layout': { imageLayoutVersion: '1.0.0' },
    'index.json': indexOf(image, manifest),
    'manifest.json': [{ Config: pathOf(config), RepoTags: [image.name], Layers: layers.map(pathOf) }],
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), JSON.stringify(content));
  await pack(folder, file);
  return { bytes: (await stat(file)).size, digest: manifest.digest };
}

export function blobOf(mediaType: string, bytes: Buffer): Blob {
  return { mediaType, bytes, digest: digestOf(bytes) };
}

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function describe({ architecture, config, layers }: Image): { readonly config: Blob; readonly manifest: Blob } {
  const configBlob = json('application/vnd.oci.image.config.v1+json', {
    ...{ created, architecture, os: 'linux', config },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
  });
  const manifest = json('application/vnd.oci.image.manifest.v1+json', {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: descriptor(configBlob),
    layers: layers.map(({ blob }) => descriptor(blob)),
  });
  return { config: configBlob, manifest };
}

/** containerd takes the image's name from the annotation of its own. */
function indexOf({ name, architecture }: Image, manifest: Blob): unknown {
  const tag = name.slice(name.lastIndexOf(':') + 1);
  const annotations = { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': tag };
  const platform = { architecture, os: 'linux' };
  return {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [{ ...descriptor(manifest), platform, annotations }],
  };
}

function json(mediaType: string, value: unknown): Blob {
  return blobOf(mediaType, Buffer.from(JSON.stringify(value)));
}

function descriptor({ mediaType, digest, bytes }: Blob) {
  return { mediaType, digest, size: bytes.length };
}

const blobs = 'blobs/sha256';

function pathOf({ digest }: Blob): string {
  return `${blobs}/${digest.slice('sha256:'.length)}`;
}
