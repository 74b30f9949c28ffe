// The one place where a signature is compared with a secret. Called by the forges' adapters.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

export interface Signed {
  readonly body: Uint8Array;
  /** The signature's header as it came; undefined where there was none. */
  readonly header: string | undefined;
  /** What stands before the hex digits, such as sha256=. */
  readonly prefix: string;
}

/**
 * Whether the header holds the body's HMAC-SHA256 in lower-case hex. False for a missing, malformed or too long header
 * and for a secret of nothing but white space. The comparison takes the same time whatever differs.
 */
export function hasValidSignature({ body, header, prefix }: Signed, secret: string): boolean {
  if (secret.trim() === '' || !hasSignatureShape(header, prefix)) return false;
  const expected = createHmac('sha256', secret).update(body).digest('hex');
  return equalInConstantTime(header.slice(prefix.length), expected);
}

/** Whether the header could be a signature at all, by its prefix and its length. */
export function hasSignatureShape(header: string | undefined, prefix: string): header is string {
  return header?.length === prefix.length + 64 && header.startsWith(prefix);
}

/** Digests have one length, whatever was sent: timingSafeEqual throws on unequal lengths. */
function equalInConstantTime(a: string, b: string): boolean {
  return timingSafeEqual(digestOf(a), digestOf(b));
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
