// `npm run faults [-- --short | --full] [-- --keep] [-- FILES]`: the proof of docs/reliability.md. Every scenario goes through
// the real program, a real API server, real git; a table of all is printed at the end, and kept with --keep.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { keepReport, readRows, showReport } from './faults/report.ts';
import { runNodeTests, runProgram } from './run-tests.ts';
import { checkGit, withTestCluster } from './test-cluster.ts';

/** The order of the tables. */
const suites = ['crash', 'crash-twice', 'unheard', 'unobserved', 'silent', 'stale', 'mutants', 'long'];

const { values: options, positionals: given } = parseArgs({
  allowPositionals: true,
  options: { short: { type: 'boolean' }, full: { type: 'boolean' }, keep: { type: 'boolean' } },
});

await runProgram(main);

async function main(signal: AbortSignal): Promise<number> {
  await checkGit();
  const folder = await mkdtemp(join(tmpdir(), 'kube-git-faults-'));
  const results = join(folder, 'results');
  const size = options.full ? 'full' : options.short ? 'short' : 'usual';
  const seed = process.env['KUBEGIT_SEED'] ?? '1';
  const files = given.length > 0 ? given : suites.map((suite) => `test/faults/${suite}.faults.ts`);
  const started = Date.now();
  try {
    const status = await withTestCluster(signal, async (cluster) => {
      const env = { ...cluster, KUBEGIT_FAULTS: size, KUBEGIT_SEED: seed, KUBEGIT_FAULTS_RESULTS: results };
      let worst = 0;
      // One file at a time: each has as many scenarios at once as two cores can bear.
      for (const [index, file] of files.entries()) {
        console.log(`\n== ${file} (${index + 1} of ${files.length}, ${new Date().toISOString().slice(11, 19)})`);
        worst = Math.max(worst, await runNodeTests({ args: [file], env, signal }));
      }
      return worst;
    });
    const report = { size, seed, started, seconds: (Date.now() - started) / 1000, rows: await readRows(results) };
    showReport(report);
    if (options.keep) await keepReport(report);
    return status;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
