// Text from outside, made fit to be shown in one line of a status, an event or a message. A leaf; no I/O.

/** Control characters, separators of lines, and marks that reverse or hide text. The joiners U+200C and U+200D are left: they are spelling in some scripts. */
const unprintable = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** One line of at most `max` UTF-16 units: white space and unprintable characters become one space, code points stay whole, a cut ends with an ellipsis. */
export function oneLine(text: string, max: number): string {
  // What is thrown away here is more than is ever shown, and keeps a body of megabytes cheap.
  const near = text.slice(0, 8 * max).toWellFormed();
  const line = near.replaceAll(unprintable, ' ').replaceAll(/\s+/g, ' ').trim();
  return cut(line, max);
}

function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  const end = text.codePointAt(max - 2) ?? 0;
  const splits = end > 0xffff;
  return `${text.slice(0, splits ? max - 2 : max - 1).trimEnd()}…`;
}
