// How a line of the demo looks: elapsed time, what happened, details; in colour on a terminal. Pure.

/** good and bad are ends; quiet is what others say (a pod's log). */
export type Mood = 'neutral' | 'good' | 'bad' | 'quiet';

export interface Line {
  readonly elapsedMs: number;
  /** One or two words. */
  readonly what: string;
  /** May hold other people's text: control characters in it are made harmless. */
  readonly detail: string;
  readonly mood: Mood;
}

export interface Style {
  readonly colour: boolean;
}

const whatWidth = 18; // "delivery answered" and a space

/** Colour on a terminal, unless NO_COLOR is set to anything (no-color.org) or the terminal is dumb. */
export function styleFor(out: { readonly isTTY?: boolean }, env: Readonly<Record<string, string | undefined>>): Style {
  return { colour: out.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb' };
}

/** One line of text, without its end. Details of several lines are joined by " | ". */
export function formatLine(line: Line, style: Style): string {
  const time = `${(line.elapsedMs / 1000).toFixed(2)} s`.padStart(10);
  const what = line.what.padEnd(whatWidth);
  const detail = printable(line.detail);
  const text = `${paint(time, 'quiet', style)}  ${paint(what, line.mood, style)} ${line.mood === 'quiet' ? paint(detail, 'quiet', style) : detail}`;
  return text.trimEnd();
}

export function formatHeading(text: string, style: Style): string {
  return style.colour ? `\n\x1b[1m${text}\x1b[0m` : `\n${text}`;
}

/** Text of others on one line, without anything that could steer a terminal. */
export function printable(text: string): string {
  return text
    .trim()
    .replace(/\s*[\r\n]+\s*/g, ' | ')
    .replace(/\p{Cc}|\p{Cf}/gu, '·');
}

const codes: Readonly<Record<Mood, string>> = { neutral: '36', good: '32', bad: '31', quiet: '2' };

function paint(text: string, mood: Mood, style: Style): string {
  return style.colour ? `\x1b[${codes[mood]}m${text}\x1b[0m` : text;
}
