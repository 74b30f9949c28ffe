// The log: one JSON line an event on standard error. Messages are constant, values are fields; secrets are masked.
import { pino } from 'pino';

export type Log = Pick<pino.Logger, 'debug' | 'info' | 'warn' | 'error'>;

export const levels = ['debug', 'info', 'warn', 'error'] as const;
export type Level = (typeof levels)[number];

/**
 * A logger that writes lines of JSON to standard error.
 * `secrets` is asked before each line: none of the strings it returns is ever written, whatever field holds it.
 */
export function createLog(level: Level, secrets: () => readonly string[]): Log {
  const write = (line: string): void => waitForTurn(mask(line, secrets()));
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write },
  );
}

/** Lines that go out together at the end of this turn of the event loop: under load a write for each would be a tenth of all work. */
let waiting = '';

function waitForTurn(line: string): void {
  if (waiting === '') setImmediate(flush);
  waiting += line;
}

function flush(): void {
  const lines = waiting;
  waiting = '';
  if (lines !== '') process.stderr.write(lines);
}

process.on('exit', flush);

/** Replaces every secret by ***, as it is and as JSON writes it. Secrets of fewer than four characters are left: masking them would spoil every line. */
export function mask(text: string, secrets: readonly string[]): string {
  let masked = text;
  for (const secret of secrets) {
    if (secret.length < 4) continue;
    masked = masked.replaceAll(secret, '***').replaceAll(JSON.stringify(secret).slice(1, -1), '***');
  }
  return masked;
}
