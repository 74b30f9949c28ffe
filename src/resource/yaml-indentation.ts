// YAML lets a text in quotes and a list in brackets go on in the next line only if that is indented. kubectl's parser does
// not mind, and people rely on it: they close a bracket below its key. js-yaml 5 minds. So lines of that sort are indented
// here before they are read; within quotes and brackets the white space at the beginning of a line means nothing.
import { type Event, parseEvents, YAMLException } from 'js-yaml';

/** More than any block is indented in practice; where it is not enough, the text is refused as js-yaml says. */
const added = ' '.repeat(200);

/** Characters that are read at most, again and again from the beginning: each such line takes one more time. Half a second's worth. */
const readLimit = 10_000_000;

export interface Indented {
  readonly source: string;
  readonly events: readonly Event[];
  /** The column in the text as it was given, counted from 0. */
  columnOf(line: number, column: number): number;
}

/** The text's events, and the text they are of. Lines count from 0. Throws YAMLException, and whatever else js-yaml throws. */
export function parseIndented(text: string, maxDepth: number): Indented {
  const indented = new Set<number>();
  const columnOf = (line: number, column: number): number =>
    indented.has(line) ? Math.max(0, column - added.length) : column;
  let source = text;
  let read = 0;
  for (;;) {
    read += source.length;
    try {
      return { source, events: parseEvents(source, { maxDepth }), columnOf };
    } catch (error) {
      const start = lineToIndent(error, source);
      const line = error instanceof YAMLException ? error.mark?.line : undefined;
      if (start === undefined || line === undefined || indented.has(line) || read + source.length > readLimit) {
        throw placedBack(error, columnOf);
      }
      indented.add(line);
      source = source.slice(0, start) + added + source.slice(start);
    }
  }
}

/** Where the line begins that is not indented enough; undefined where something else is wrong, or something stands before it. */
function lineToIndent(error: unknown, source: string): number | undefined {
  if (!(error instanceof YAMLException) || error.reason !== 'deficient indentation' || !error.mark) return undefined;
  const { position, column } = error.mark;
  const start = position - column;
  const isFirst = /^[ \t]*$/.test(source.slice(start, position));
  const isDocumentMark = column === 0 && /^(?:---|\.\.\.)(?:\s|$)/.test(source.slice(start, start + 4));
  return isFirst && !isDocumentMark ? start : undefined;
}

/** The error with the column that the text has as it was given. */
function placedBack(error: unknown, columnOf: Indented['columnOf']): unknown {
  if (!(error instanceof YAMLException) || !error.mark) return error;
  const { line, column } = error.mark;
  return new YAMLException(error.reason, { ...error.mark, column: columnOf(line, column) });
}
