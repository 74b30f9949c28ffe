// The kube-git that the faults are tried on: the bundle, as the image has it, which starts in a fraction of the time that
// the sources take. With edits it is another program: one with a promise broken on purpose, or with another clock.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle } from '../../hack/bundle.ts';
import type { TestContext } from '../env/cluster.ts';

const root = join(import.meta.dirname, '../..');

/** A text of a source file, which must be there exactly once, and what stands there instead. */
export interface Edit {
  /** From the root folder, such as src/controller/run.ts. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** Builds the program and returns its path; gone after the test. Throws where an edit's text is not found. */
export async function buildProgram(t: TestContext, edits: readonly Edit[] = []): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'kube-git-faults-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const sources = new Map<string, string>();
  for (const edit of edits) {
    const path = join(root, edit.file);
    sources.set(path, edited(sources.get(path) ?? (await readFile(path, 'utf8')), edit));
  }
  const file = join(folder, 'kube-git.mjs');
  await bundle(file, [replacing(sources)]);
  return file;
}

export function edited(source: string, { file, find, replace }: Edit): string {
  const found = source.split(find).length - 1;
  if (found !== 1) throw new Error(`${file} has this ${found} times, not once: ${find}`);
  return source.replace(find, () => replace);
}

function replacing(sources: ReadonlyMap<string, string>): NonNullable<Parameters<typeof bundle>[1]>[number] {
  return {
    name: 'edits',
    setup: ({ onLoad }) =>
      onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const contents = sources.get(path);
        return contents === undefined ? undefined : { contents, loader: 'ts' };
      }),
  };
}
