// `npm run faults:long [-- options]`: the long run of docs/reliability.md, on a control plane of its own. Ends by itself, leaves
// nothing running; exit code 0 when nothing was lost, doubled or told wrong.
import { runProgram } from '../../../hack/run-tests.ts';
import { messageOf } from '../../../src/errors.ts';
import { Leftovers } from '../../env/leftovers.ts';
import { longRun } from './long-run.ts';
import { parseOptions, usage } from './options.ts';
import { type LongReport, markdownOf, writeReport } from './report.ts';

await runProgram(main);

async function main(signal: AbortSignal): Promise<number> {
  const parsed = read(process.argv.slice(2));
  if (parsed === undefined) return 2;
  const { options, keep } = parsed;
  const leftovers = new Leftovers();
  // A mistake of our own must not leave processes behind.
  process.on('uncaughtException', (error) => {
    console.error(error);
    void leftovers.end().finally(() => process.exit(1));
  });
  try {
    const tell = async (report: LongReport): Promise<void> => {
      await writeReport(report, keep);
      console.log(`\n${markdownOf(report)}\n`);
      for (const violation of report.violations) console.error(`VIOLATION ${violation}`);
    };
    const report = await longRun(leftovers, options, { write: (line) => console.log(line), onLoad: tell, signal });
    await tell(report);
    if (report.violations.length === 0) return 0;
    console.error(`\n${report.violations.length} violations. The same faults again: --seed ${options.seed}`);
    return 1;
  } finally {
    await leftovers.end();
  }
}

function read(argv: readonly string[]): ReturnType<typeof parseOptions> | undefined {
  try {
    return parseOptions(argv);
  } catch (error) {
    console.error(`${messageOf(error)}\n\n${usage}`);
    return undefined;
  }
}
