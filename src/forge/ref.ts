// What git takes for a ref and for an object id. Called by the forges' adapters on what a payload says.

/** The CRD's limit for refs; git's own is the file system's 255 bytes a segment. */
const maxRefLength = 1024;

/** Whether it is a full ref that git would accept (git-check-ref-format(1)) and that can be written down whole. */
export function isValidRef(ref: string): boolean {
  if (!ref.startsWith('refs/') || ref.length > maxRefLength || !ref.isWellFormed()) return false;
  if (/[\p{Cc} ~^:?*[\\]|\.\.|@\{/u.test(ref) || ref.endsWith('.')) return false;
  return ref.split('/').every((part) => part !== '' && !part.startsWith('.') && !part.endsWith('.lock'));
}

/** Whether it is an object id as git writes it: SHA-1 or SHA-256 in lower-case hex. */
export function isObjectId(text: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}

/** Whether it stands for "no object": zeros, 40 or 64 of them. */
export function isZeroId(id: string): boolean {
  return /^0+$/.test(id);
}
