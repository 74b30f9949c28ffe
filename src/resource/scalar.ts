// What a YAML scalar means, exactly as kubectl reads it: sigs.k8s.io/yaml over go.yaml.in/yaml/v2 (resolve.go), which is
// YAML 1.1 with Go's number syntax. Called by yaml.ts; knows nothing of documents. scalar.test.ts holds kubectl's own answers.

/** Why a scalar cannot be used, as the end of a sentence that starts with where it stands. */
export interface Refusal {
  readonly refused: string;
}

export type Scalar = string | number | boolean | null | Refusal;

const words: ReadonlyMap<string, boolean | null> = new Map([
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map((word) => [word, true] as const),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map((word) => [word, false] as const),
  ...['', '~', 'null', 'Null', 'NULL'].map((word) => [word, null] as const),
]);

const notFinite = /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;
/** strconv.ParseInt with base 0, after the underscores are gone: 0x, 0b, 0o, a leading 0 as octal, else decimal. */
const integer = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))$/;
const float = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const digitsOnly = /^[-+]?[0-9]+$/;

/** More digits than any 64-bit integer has in any base, sign and prefix included: such a text is no integer to Go either. */
const integerLimit = 67;

/** The value of a plain scalar without a tag. */
export function resolvePlain(source: string): Scalar {
  const word = words.get(source);
  if (word !== undefined) return word;
  if (notFinite.test(source))
    return { refused: `${source} is no number that Kubernetes can store; write it in quotes if it is a text` };
  if (!/^[-+.0-9]/.test(source)) return source;
  // Go drops the underscores only from what starts with a digit or a sign.
  return resolveNumber(source.startsWith('.') ? source : source.replaceAll('_', '')) ?? source;
}

function resolveNumber(text: string): Scalar | undefined {
  const whole = resolveInteger(text);
  if (whole !== undefined) return whole;
  if (!float.test(text)) return undefined;
  const value = Number(text);
  if (!Number.isFinite(value)) return undefined;
  if (digitsOnly.test(text) && !Number.isSafeInteger(value)) return tooLarge(text);
  // JSON has no -0 either in Go.
  return value === 0 ? 0 : value;
}

function resolveInteger(text: string): Scalar | undefined {
  if (text.length > integerLimit) return undefined;
  const [, sign, hex, binary, octal, decimal] = integer.exec(text) ?? [];
  const digits = literal({ hex, binary, octal, decimal });
  if (digits === undefined) return undefined;
  const magnitude = BigInt(digits);
  const fits = magnitude <= (sign ? 2n ** 63n : 2n ** 64n - 1n);
  if (!fits) return undefined;
  if (magnitude > BigInt(Number.MAX_SAFE_INTEGER)) return tooLarge(text);
  return magnitude === 0n ? 0 : Number(magnitude) * (sign === '-' ? -1 : 1);
}

function literal(digits: {
  hex?: string | undefined;
  binary?: string | undefined;
  octal?: string | undefined;
  decimal?: string | undefined;
}): string | undefined {
  if (digits.hex !== undefined) return `0x${digits.hex}`;
  if (digits.binary !== undefined) return `0b${digits.binary}`;
  if (digits.octal !== undefined) return `0o${digits.octal}`;
  return digits.decimal;
}

function tooLarge(text: string): Refusal {
  const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text;
  return { refused: `the number ${shown} is too large to be kept exactly (beyond 2^53); write it in quotes` };
}

/** The value of a scalar with an explicit tag, `!!int` and the like, written short; undefined where the tag is not known. */
export function resolveTagged(tag: string, source: string): Scalar | undefined {
  if (tag === '!' || tag === '!!str' || tag === '!!timestamp') return source;
  const fits = tagged.get(tag);
  if (fits === undefined) return undefined;
  const value = resolvePlain(source);
  return isRefusal(value) || fits(value) ? value : { refused: `this is no value of type ${tag}` };
}

const tagged: ReadonlyMap<string, (value: unknown) => boolean> = new Map([
  ['!!int', Number.isInteger],
  ['!!float', (value: unknown) => typeof value === 'number'],
  ['!!bool', (value: unknown) => typeof value === 'boolean'],
  ['!!null', (value: unknown) => value === null],
]);

export function isRefusal(value: unknown): value is Refusal {
  return typeof value === 'object' && value !== null && 'refused' in value;
}
