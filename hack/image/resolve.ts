// Follows links inside a file system that is not the one we run in. Called by root.ts and origin.ts.
import { readlink } from 'node:fs/promises';
import { join, normalize } from 'node:path';

/** As the kernel itself: more links than these are a circle. */
const maxLinks = 40;

/** The path below `root`, without a leading slash, of the file that `path` names; an absolute link starts at `root`. */
export async function resolveIn(root: string, path: string): Promise<string> {
  let current = '';
  let rest = normalize(`/${path}`).slice(1).split('/');
  for (let links = 0; rest.length > 0; ) {
    const [name = '', ...after] = rest;
    const next = join(current, name);
    const to = await readlink(join(root, next)).catch(() => undefined);
    if (to === undefined) [current, rest] = [next, after];
    else {
      links += 1;
      if (links > maxLinks) throw new Error(`${path} leads nowhere: too many links`);
      const whole = normalize(`/${to.startsWith('/') ? '' : current}/${to}/${after.join('/')}`);
      rest = whole.split('/').filter((part) => part !== '');
      current = '';
    }
  }
  return current;
}
