// Where the files of the lower layer come from: the control data of each Debian package that has one in it, where scanners
// look for it in images without a package manager, and its copyright. Called by root.ts.
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../test/env/node/command.ts';
import type { Unpacked } from './debian.ts';
import { resolveIn } from './resolve.ts';

export interface OriginOptions extends Unpacked {
  readonly target: string;
  /** Below the root, without a leading slash, with all links followed. */
  readonly files: ReadonlySet<string>;
}

/** Writes into `target`. Throws when a file belongs to no package. */
export async function tellOrigin({ root, packages, target, files }: OriginOptions): Promise<void> {
  const controls = join(target, 'var/lib/dpkg/status.d');
  await mkdir(controls, { recursive: true });
  const orphans = new Set(files);
  for (const file of packages) {
    const kept = (await contentsOf(file)).filter((name) => files.has(name));
    if (kept.length === 0) continue;
    for (const name of kept) orphans.delete(name);
    const control = await run(['dpkg-deb', '--field', file]);
    const name = /^Package: (\S+)$/m.exec(control)?.[1] ?? '';
    await writeFile(join(controls, name), control);
    const copyright = await resolveIn(root, `usr/share/doc/${name}/copyright`);
    await mkdir(join(target, 'usr/share/doc', name), { recursive: true });
    await copyFile(join(root, copyright), join(target, 'usr/share/doc', name, 'copyright'));
  }
  if (orphans.size > 0) throw new Error(`no package has ${[...orphans].join(', ')}`);
}

async function contentsOf(file: string): Promise<readonly string[]> {
  const lines = (await run(['dpkg-deb', '--contents', file])).split('\n');
  return lines.map((line) => /^\S+\s+\S+\s+\d+\s+\S+\s+\S+\s+\.\/(.+?)(?: -> .*| link to .*)?$/.exec(line)?.[1] ?? '');
}
