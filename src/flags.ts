// Flags as Go's flag package reads them: -flag value, -flag=value, --flag; booleans without a value. Pure; knows no flag
// of kube-git. node:util's parseArgs does not do: it reads -flag as five flags of one letter.

/** One flag: its type is the type of its default. */
interface Flag {
  readonly default: string | number | boolean;
  /** A value's word in the help, and what it is for. */
  readonly value?: string;
  readonly help: string;
  /** The values that are allowed; all when missing. */
  readonly choices?: readonly string[];
  /** What a value must look like, and that in words. */
  readonly format?: { readonly pattern: RegExp; readonly expected: string };
  /** Understood, but of no effect: neither listed in the help nor suggested. */
  readonly ignored?: boolean;
}

export type Flags = Readonly<Record<string, Flag>>;
export type FlagValues<T extends Flags> = { readonly [name in keyof T]: Widened<T[name]['default']> };
type Widened<T> = T extends string ? string : T extends number ? number : T extends boolean ? boolean : never;

export type ParsedFlags<T extends Flags> =
  | { readonly kind: 'values'; readonly values: FlagValues<T>; readonly given: ReadonlySet<string> }
  | { readonly kind: 'help' }
  | { readonly kind: 'error'; readonly text: string };

/** What strconv.ParseBool takes for true and false. */
const booleans = new Map(
  [
    ['1', 't', 'T', 'true', 'TRUE', 'True'].map((word) => [word, true] as const),
    ['0', 'f', 'F', 'false', 'FALSE', 'False'].map((word) => [word, false] as const),
  ].flat(),
);

/** Reads `argv` (without the program's name); the last one wins, as in Go. Values are never repeated in an error: one may be a secret. */
export function parseFlags<T extends Flags>(flags: T, argv: readonly string[]): ParsedFlags<T> {
  const values: Record<string, string | number | boolean> = {};
  for (const [name, flag] of Object.entries(flags)) values[name] = flag.default;
  const given = new Set<string>();
  for (let at = 0; at < argv.length; ) {
    const read = readFlag(flags, argv, at);
    if (read.kind !== 'flag') return read;
    values[read.name] = read.value;
    given.add(read.name);
    at = read.next;
  }
  return { kind: 'values', values: values as FlagValues<T>, given };
}

type ReadFlag =
  | { readonly kind: 'flag'; readonly name: string; readonly value: string | number | boolean; readonly next: number }
  | { readonly kind: 'help' }
  | { readonly kind: 'error'; readonly text: string };

function readFlag(flags: Flags, argv: readonly string[], at: number): ReadFlag {
  const [, name = '', attached] = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(argv[at] ?? '') ?? [];
  if (name === '') return failed(`argument ${at + 1} is not a flag, and kube-git takes flags only (-help lists them)`);
  if (name === 'h' || name === 'help') return { kind: 'help' };
  const flag = Object.hasOwn(flags, name) ? flags[name] : undefined;
  if (!flag) return failed(`unknown flag -${shown(name)}${suggestion(name, listed(flags))} (-help lists them)`);

  const isBoolean = typeof flag.default === 'boolean';
  const text = attached ?? (isBoolean ? 'true' : argv[at + 1]);
  if (text === undefined) return failed(`flag -${name} needs a value`);
  const value = parseValue(flag, text);
  if (value === undefined) return failed(`flag -${name} must be ${expected(flag)}`);
  return { kind: 'flag', name, value, next: at + (attached === undefined && !isBoolean ? 2 : 1) };
}

/** The table of flags as Go prints it: sorted, two spaces before a flag, defaults unless they are empty. */
export function formatFlags(flags: Flags): string {
  const rows = Object.entries(flags).filter(([, flag]) => !flag.ignored);
  rows.sort(([a], [b]) => (a < b ? -1 : 1));
  return rows.map(([name, flag]) => `  -${name}${valueWord(flag)}\n    \t${flag.help}${defaultWord(flag)}\n`).join('');
}

function listed(flags: Flags): string[] {
  return Object.keys(flags).filter((name) => !flags[name]?.ignored);
}

function failed(text: string): { kind: 'error'; text: string } {
  return { kind: 'error', text };
}

function parseValue(flag: Flag, text: string): string | number | boolean | undefined {
  if (typeof flag.default === 'boolean') return booleans.get(text);
  if (typeof flag.default === 'number') return parsePort(text);
  if (flag.format && !flag.format.pattern.test(text)) return undefined;
  return flag.choices && !flag.choices.includes(text) ? undefined : text;
}

/** Every number among the flags is a port. */
function parsePort(text: string): number | undefined {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined;
}

function expected(flag: Flag): string {
  if (typeof flag.default === 'boolean') return 'true or false, written -flag or -flag=false';
  if (typeof flag.default === 'number') return 'a whole number from 0 to 65535';
  if (flag.format) return flag.format.expected;
  return `one of ${flag.choices?.join(', ')}`;
}

function valueWord(flag: Flag): string {
  if (typeof flag.default === 'boolean') return '';
  return ` ${flag.value ?? (typeof flag.default === 'number' ? 'int' : 'string')}`;
}

function defaultWord(flag: Flag): string {
  if (flag.default === '' || flag.default === false || flag.default === 0) return '';
  return ` (default ${typeof flag.default === 'string' ? JSON.stringify(flag.default) : flag.default})`;
}

/** A misspelt flag may have swallowed its value, so only what looks like a flag's name is repeated. */
function shown(name: string): string {
  return /^[\w.-]{1,60}$/.test(name) ? name : '(unreadable)';
}

function suggestion(name: string, known: readonly string[]): string {
  const wanted = name.toLowerCase().slice(0, 60);
  const close = known.filter((other) => other.includes(wanted) || distance(wanted, other) <= 3);
  return close.length === 0 ? '' : `, did you mean ${close.map((other) => `-${other}`).join(' or ')}?`;
}

/** Levenshtein's: how many letters must be changed, added or removed. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const replaced = (row[j] ?? 0) + (letter === b[j] ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
