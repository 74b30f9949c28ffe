// Label values and name suffixes that derive from longer texts: the same text gives the same value for ever. No I/O.
// They are stored on objects and searched for, so a change here loses sight of what older versions created.
import { createHash } from 'node:crypto';

/** The most characters a label value may have; names that become label values keep to it as well. */
export const labelLimit = 63;

/** Characters of the digest in a label value: 60 bits, so that two long names never meet. */
const digestLength = 12;

/** RFC 4648 in lower case: every character may stand in a name, and none is mistaken for another by case. */
const base32 = 'abcdefghijklmnopqrstuvwxyz234567';

/** The first `length` base32 characters of the SHA-256 of the text, 5 bits each; at most 32 of them. */
export function digest(text: string, length: number): string {
  const bytes = createHash('sha256').update(text).digest();
  const bits = Array.from(bytes.subarray(0, 20), (byte) => byte.toString(2).padStart(8, '0')).join('');
  const characters = Array.from(
    { length },
    (_, index) => base32[Number.parseInt(bits.slice(5 * index, 5 * index + 5), 2)],
  );
  return characters.join('');
}

/** The text cut to `limit` characters, without the - and . that would then stand before a suffix. */
export function cutName(text: string, limit: number): string {
  let end = Math.min(text.length, Math.max(limit, 0));
  while (end > 0 && '-.'.includes(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}

/** The value of the label githook: the GitHook's name; cut and with a digest of the whole where it is too long for a label. */
export function gitHookLabelValue(name: string): string {
  if (name.length <= labelLimit) return name;
  return `${cutName(name, labelLimit - digestLength - 1)}-${digest(name, digestLength)}`;
}

/** The value of the label commit: the object id, of which a label holds all of SHA-1 and all but one digit of SHA-256. */
export function commitLabelValue(commit: string): string {
  return commit.slice(0, labelLimit);
}
