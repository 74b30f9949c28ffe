// Copies a folder of Go's module cache. The copy can be removed again: the cache's folders cannot be written to, and
// node's own cp() would make the copy's so too. Called by build.ts.
import { copyFile, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Copies files and folders; a module has nothing else. The target must not be there yet. */
export async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(to);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await copyTree(source, target);
    else await copyFile(source, target);
  }
}
