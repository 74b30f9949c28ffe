// A folder as a tar archive that depends on nothing but the files in it: names are sorted, all belong to root, all are from
// 1970. Called for the layers of an image and for the image.
import { run } from '../../test/env/node/command.ts';

/** Modes stay as they are in the folder. */
export async function pack(folder: string, file: string): Promise<void> {
  const owner = ['--owner', '0', '--group', '0', '--numeric-owner'];
  await run(['tar', '-C', folder, '--format', 'gnu', ...owner, '--sort', 'name', '--mtime', '@0', '-cf', file, '.']);
}
