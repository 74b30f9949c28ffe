// `npm run check`: everything about the tree that needs no cluster. Each step says what to run when it fails.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

const steps = [
  {
    name: 'format and lint',
    script: 'node_modules/@biomejs/biome/bin/biome',
    args: ['check', '--error-on-warnings', '.'],
    help: 'npm run format mends most of it',
  },
  { name: 'types', script: 'node_modules/typescript/bin/tsc', args: [], help: 'the compiler names the lines' },
  { name: 'unused code', script: 'node_modules/knip/bin/knip.js', args: [], help: 'delete what it names, or use it' },
  {
    name: 'generated files',
    script: 'hack/generate.ts',
    args: ['--check'],
    help: 'run npm run generate and commit the result',
  },
  {
    name: 'import table and file sizes',
    script: '--test',
    args: ['--test-reporter=dot', 'test/imports.test.ts'],
    help: 'the table is in docs/architecture.md',
  },
];

const failed = steps.filter(({ name, script, args, help }) => {
  const started = performance.now();
  const { status } = spawnSync(process.execPath, [script, ...args], { cwd: root, stdio: 'inherit' });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(status === 0 ? `ok      ${name} (${seconds} s)` : `FAILED  ${name} (${seconds} s): ${help}`);
  return status !== 0;
});
process.exitCode = failed.length === 0 ? 0 : 1;
