// Makes what is made from something else: the TypeScript types of our objects, from their CRDs.
// `npm run generate` writes them; `npm run check` runs this with --check and fails where a file differs.
import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { typesOf } from './crd-types.ts';

const root = join(import.meta.dirname, '..');
const generated = [
  { from: 'install/crds/githooks.yaml', to: 'src/api/githook.ts' },
  { from: 'install/crds/githookruns.yaml', to: 'src/api/githookrun.ts' },
];

const check = process.argv.includes('--check');
for (const { from, to } of generated) {
  const wanted = format(to, typesOf(load(await readFile(join(root, from), 'utf8')), from));
  const path = join(root, to);
  if (!check) await writeFile(path, wanted);
  else if ((await readFile(path, 'utf8')) !== wanted) {
    console.error(`${to} does not say what ${from} says: run npm run generate and commit the result.`);
    process.exitCode = 1;
  }
}

function format(path: string, text: string): string {
  const biome = join(root, 'node_modules/@biomejs/biome/bin/biome');
  return execFileSync(process.execPath, [biome, 'format', `--stdin-file-path=${path}`], {
    input: text,
    encoding: 'utf8',
  });
}
