// npm run demo: reads the options, runs the demo, and on every way out leaves nothing behind.
import { constants } from 'node:os';
import { messageOf } from '../../src/errors.ts';
import { Cleanup } from './cleanup.ts';
import { Interrupted, runDemo } from './demo.ts';
import { type Options, parseOptions } from './options.ts';
import { styleFor } from './timeline.ts';

const noticeAfterMs = 1000;

const parsed = parseOptions(process.argv.slice(2), process.env);
if (parsed.kind === 'help') process.stdout.write(parsed.text);
else if (parsed.kind === 'error') {
  process.stderr.write(`${parsed.text}\n`);
  process.exitCode = 2;
} else process.exit(await main(parsed.options));

/** Returns the exit status. */
async function main(options: Options): Promise<number> {
  const stop = new AbortController();
  const cleanup = new Cleanup();
  endOn(stop);
  const write = (line: string): void => void process.stdout.write(`${line}\n`);
  const style = styleFor(process.stdout, process.env);
  const notice = removalNotice(stop.signal);
  const status = await runDemo({ ...options, style, write, cleanup, signal: stop.signal }).then(
    () => 0,
    (error: unknown) => statusOf(error, stop.signal),
  );
  notice.begin();
  const problems = await cleanup.run();
  notice.end();
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  return status === 0 && problems.length > 0 ? 1 : status;
}

/** Says what is being waited for when the way out takes long. It begins with the signal at the latest. */
function removalNotice(signal: AbortSignal): { begin(): void; end(): void } {
  let timer: NodeJS.Timeout | undefined;
  const begin = (): void => {
    timer ??= setTimeout(() => process.stderr.write('Removing what was started …\n'), noticeAfterMs);
  };
  signal.addEventListener('abort', begin);
  return { begin, end: () => clearTimeout(timer) };
}

/** Whatever ends the demo aborts the signal; main does the rest. Node's own way out would skip the cleaning up. */
function endOn(stop: AbortController): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => stop.abort(new Interrupted(signal)));
  }
  process.on('uncaughtException', (error) => stop.abort(error));
  process.on('unhandledRejection', (error) => stop.abort(error));
  for (const out of [process.stdout, process.stderr]) out.on('error', (error) => stop.abort(error)); // nobody reads on
}

/** Says what went wrong, without a stack: that it is shown is for people, who can do nothing with one. */
function statusOf(error: unknown, signal: AbortSignal): number {
  const cause = signal.aborted ? signal.reason : error;
  if (cause instanceof Interrupted) return 128 + constants.signals[cause.signal];
  process.stderr.write(`\n${messageOf(cause)}\n`);
  return 1;
}
