// Objects out of a pack, each checked against its id. Pure. The format is gitformat-pack(5). Packs of a few objects that were
// asked for one by one hold no deltas; one that does is for the git program.
import { createHash } from 'node:crypto';
import { inflateSync } from 'node:zlib';
import { Unusable } from './unusable.ts';

export type ObjectType = 'commit' | 'tree' | 'blob' | 'tag';

export interface GitObject {
  readonly type: ObjectType;
  readonly content: Buffer;
}

/** An object is larger than what may be read. */
export class ObjectTooLarge extends Error {
  override readonly name = 'ObjectTooLarge';
}

export interface PackOptions {
  readonly format: 'sha1' | 'sha256';
  /** Of one object, unpacked. */
  readonly maxBytes: number;
}

const headerBytes = 12; // PACK, version, number of objects
const types: Readonly<Record<number, ObjectType>> = { 1: 'commit', 2: 'tree', 3: 'blob', 4: 'tag' };
const maxObjects = 16; // one was asked for; an annotated tag brings what it stands for

/** By their ids, which are computed here, not taken from anybody. Throws Unusable and ObjectTooLarge. */
export function readPack(pack: Buffer, { format, maxBytes }: PackOptions): ReadonlyMap<string, GitObject> {
  const isPack = pack.length >= headerBytes && pack.toString('latin1', 0, 4) === 'PACK' && pack.readUInt32BE(4) === 2;
  const count = isPack ? pack.readUInt32BE(8) : 0;
  if (count === 0 || count > maxObjects) throw new Unusable(`a pack with ${count} objects`);
  const objects = new Map<string, GitObject>();
  let at = headerBytes;
  for (let index = 0; index < count; index++) {
    const head = readHead(pack, at);
    if (head.size > maxBytes) throw new ObjectTooLarge(`${head.type} of ${head.size} bytes`);
    const { content, end } = inflate(pack, head);
    const { type } = head;
    objects.set(idOf({ type, content }, format), { type, content });
    at = end;
  }
  return objects;
}

/** The id of an object: the hash of its type, its size and its content. */
export function idOf({ type, content }: GitObject, format: 'sha1' | 'sha256'): string {
  return createHash(format).update(`${type} ${content.length}\0`).update(content).digest('hex');
}

interface Head {
  readonly type: ObjectType;
  readonly size: number;
  /** Where its content begins. */
  readonly start: number;
}

/** Three bits of type, then the size: four bits, and seven of each byte that follows while the highest bit is set. */
function readHead(pack: Buffer, from: number): Head {
  const first = pack[from] ?? 0;
  const type = types[(first >> 4) & 7];
  if (type === undefined) throw new Unusable('a pack with deltas');
  let size = first & 15;
  let at = from;
  for (let factor = 16; ((pack[at] ?? 0) & 128) !== 0; factor *= 128) {
    at += 1;
    size += ((pack[at] ?? 0) & 127) * factor;
    if (!Number.isSafeInteger(size)) throw new Unusable('a pack with a size that no object has');
  }
  return { type, size, start: at + 1 };
}

function inflate(pack: Buffer, { size, start }: Head): { readonly content: Buffer; readonly end: number } {
  // With `info` Node gives the engine along, which knows how much of its input was this object's (zlib, "bytesWritten").
  const { buffer, engine } = inflated(pack.subarray(start), size);
  if (buffer.length !== size) throw new Unusable('an object of another size than its pack says');
  return { content: buffer, end: start + engine.bytesWritten };
}

interface Inflated {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

const leastChunkBytes = 64; // zlib's own limit

function inflated(data: Buffer, size: number): Inflated {
  // A chunk of the object's size: the default of 16 KiB would be kept for as long as the object is.
  const options = { info: true, maxOutputLength: Math.max(size, 1), chunkSize: Math.max(size + 1, leastChunkBytes) };
  try {
    return inflateSync(data, options) as unknown as Inflated;
  } catch (error) {
    throw new Unusable('an object that cannot be unpacked', { cause: error });
  }
}
