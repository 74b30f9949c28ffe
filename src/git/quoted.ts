// Text of a user's or a server's, made fit to be shown in a message. A leaf of this folder; pure.

/** What was written, quoted, cut and without control characters. */
export function quoted(text: string): string {
  const longestShown = 200;
  return JSON.stringify(text.length > longestShown ? `${text.slice(0, longestShown)}…` : text);
}

/** A URL that is shown may hold a password that should not be there. */
export function quotedUrl(text: string): string {
  return quoted(text.replace(/\/\/[^/]*@/, '//***@'));
}
