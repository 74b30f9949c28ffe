// The lines that git's protocol is made of, and what kube-git asks with them. Pure. The formats are git's own documents
// gitprotocol-common(5) (pkt-line) and gitprotocol-v2(5) (command=fetch).
import { Unusable } from './unusable.ts';

export interface Question {
  /** Full object ids; all of one repository. */
  readonly ids: readonly string[];
  readonly format: 'sha1' | 'sha256';
  /** Commits come without their trees and parents, trees without what is in them. Only servers with filters take that. */
  readonly alone: boolean;
}

const flush = '0000';
const delimiter = '0001';
const lengthDigits = 4;
const sideband = { pack: 1, progress: 2, error: 3 };

/** The body of the request. Nothing in it but ids is anybody's text. */
export function questionOf({ ids, format, alone }: Question): string {
  return [
    line('command=fetch'),
    ...(format === 'sha256' ? [line('object-format=sha256')] : []),
    delimiter,
    line('no-progress'),
    ...(alone ? [line('filter tree:0'), line('deepen 1')] : []),
    ...ids.map((id) => line(`want ${id}`)),
    line('done'),
    flush,
  ].join('');
}

function line(text: string): string {
  return `${(lengthDigits + text.length + 1).toString(16).padStart(lengthDigits, '0')}${text}\n`;
}

/** The pack in the body of the answer. Throws Unusable where there is none, with the server's words. */
export function packOf(answer: Buffer): Buffer {
  const refusal = refusalIn(answer);
  if (refusal !== undefined) throw new Unusable(refusal);
  const chunks: Buffer[] = [];
  let inPack = false;
  for (const packet of packetsOf(answer)) {
    if (inPack && packet[0] === sideband.pack) chunks.push(packet.subarray(1));
    inPack ||= isPackfile(packet);
  }
  if (chunks.length === 0) throw new Unusable('the answer holds no pack');
  return Buffer.concat(chunks);
}

/** The server's words where it refuses, before a pack or in the middle of it. Throws Unusable for what is no answer. */
export function refusalIn(answer: Buffer): string | undefined {
  let inPack = false;
  for (const packet of packetsOf(answer)) {
    if (isError(packet)) return words(packet);
    if (inPack && packet[0] !== sideband.pack && packet[0] !== sideband.progress) return words(packet.subarray(1));
    inPack ||= isPackfile(packet);
  }
  return undefined;
}

function isPackfile(packet: Buffer): boolean {
  return packet.toString('latin1').trimEnd() === 'packfile';
}

function isError(packet: Buffer): boolean {
  return packet.toString('latin1', 0, 4) === 'ERR ';
}

/** Whether the line that begins there, and is all there, says that the server gives up. */
export function isErrorAt(bytes: Buffer, at: number): boolean {
  return isError(bytes.subarray(at + lengthDigits));
}

/** What the lines say, without the newlines at their ends. */
export function packetTexts(answer: Buffer): readonly string[] {
  return [...packetsOf(answer)].map((packet) => packet.toString('utf8').trimEnd());
}

/** What the lines hold; flush, delimiter and the end of the answer are left out. */
function* packetsOf(answer: Buffer): Generator<Buffer> {
  for (let at = 0; at < answer.length; ) {
    const length = lengthAt(answer, at)?.bytes ?? Number.POSITIVE_INFINITY;
    if (at + length > answer.length) throw new Unusable('the answer is cut or garbled');
    if (length > lengthDigits) yield answer.subarray(at + lengthDigits, at + length);
    at += length;
  }
}

/** How many bytes the line takes that begins there; undefined where its length is not all there. Throws Unusable. */
export function lengthAt(bytes: Buffer, at: number): { readonly bytes: number; readonly isFlush: boolean } | undefined {
  if (at + lengthDigits > bytes.length) return undefined;
  const digits = bytes.toString('latin1', at, at + lengthDigits);
  const length = /^[0-9a-f]{4}$/i.test(digits) ? Number.parseInt(digits, 16) : -1;
  if (length < 0 || length === 3) throw new Unusable('the answer is cut or garbled');
  return { bytes: Math.max(length, lengthDigits), isFlush: length === 0 };
}

const shownBytes = 300;

function words(packet: Buffer): string {
  return packet
    .toString('utf8', 0, shownBytes)
    .replaceAll(/\p{Cc}+/gu, ' ')
    .trim();
}
