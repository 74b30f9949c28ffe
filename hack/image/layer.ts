// A folder as a compressed layer of an image. Called by build.ts.
import { readFile, rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { blobOf, digestOf, type Layer } from './archive.ts';
import { pack } from './tar.ts';

/** `file` is a place for the archive while it is made. Node's gzip writes no name and no time. */
export async function layerOf(folder: string, file: string): Promise<Layer> {
  await pack(folder, file);
  const bytes = await readFile(file);
  await rm(file);
  const compressed = await promisify(gzip)(bytes);
  return { blob: blobOf('application/vnd.oci.image.layer.v1.tar+gzip', compressed), diffId: digestOf(bytes) };
}
