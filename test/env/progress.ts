// Tells a person what is being waited for and for how long already: in place on a terminal, else a line now and then.

export interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

const everyMsOnTerminal = 1_000;
/** In a CI log each update is a line: often enough to see that it lives, seldom enough to read the rest. */
const everyMsInLog = 20_000;

/**
 * Shows `what`, and below it the elapsed time until the work is done or fails. The time has a line of its own because
 * only a line that fits the terminal can be written over, and `what` may be longer than it is wide.
 */
export async function withProgress<T>(what: string, work: Promise<T>, output: Output = process.stderr): Promise<T> {
  const start = performance.now();
  const terminal = output.isTTY === true;
  const say = (end: string): void => {
    const time = elapsed(performance.now() - start);
    output.write(terminal ? `\r\x1b[K… ${time}${end}` : `… ${time}${end || '\n'}`);
  };
  output.write(`${what} …\n`);
  const timer = setInterval(() => say(''), terminal ? everyMsOnTerminal : everyMsInLog);
  try {
    const result = await work;
    say(', done\n');
    return result;
  } catch (error) {
    say(', failed\n');
    throw error;
  } finally {
    clearInterval(timer);
  }
}

/** 75_000 → "1 min 15 s" */
export function elapsed(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
