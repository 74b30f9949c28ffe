// Which refs a GitHook wants. Called by the receiver; pure text, must not know where pushes come from.
// No regular expressions: patterns come from users and refs from strangers, and the time must not grow with their wit.

const branchPrefix = 'refs/heads/';

/**
 * Whether one of the patterns fits the full ref. `*` stands for any text, slashes included; nothing else is special.
 * A pattern that does not begin with refs/ is also tried on the short name of a branch; tags have no short name.
 */
export function matchesRef(patterns: readonly string[], ref: string): boolean {
  return patterns.some((pattern) => matchesOne(pattern, ref));
}

function matchesOne(pattern: string, ref: string): boolean {
  if (matchesText(pattern, ref)) return true;
  const hasShortName = ref.startsWith(branchPrefix) && !pattern.startsWith('refs/');
  return hasShortName && matchesText(pattern, ref.slice(branchPrefix.length));
}

/** The pieces between the stars must occur in order, the first at the start, the last at the end; the leftmost place for each is the best. */
function matchesText(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return pattern === text;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const piece of rest) {
    const found = text.indexOf(piece, at);
    if (found === -1) return false;
    at = found + piece.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}
