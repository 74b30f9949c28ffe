// The trees that the git program has fetched. Called by program.ts.
import { TerminalError } from '../errors.ts';
import type { Session } from './session.ts';
import type { Entry, Trees } from './tree.ts';

const listingBytes = 1024 * 1024; // about 15,000 names: enough to look for a similar one

export function treesOf(session: Session): Trees {
  return {
    find: async (treeish, path) => {
      const result = await session.local(['ls-tree', '-z', '--full-tree', treeish, '--', path]);
      if (result.code === 0) return parseListing(result.output.toString('utf8'))[0];
      throw new TerminalError(
        'CommitNotFound',
        `${treeish} is no commit with files in it: ${result.words.trim().slice(0, 200)}`,
      );
    },
    list: async (treeish) => {
      const result = await session.local(['ls-tree', '-z', '--full-tree', treeish], { outputBytes: listingBytes });
      return parseListing(result.output.toString('utf8'));
    },
  };
}

/** `<mode> <type> <id>\t<name>\0` each; a last one that is cut off is left out. */
function parseListing(text: string): Entry[] {
  return [...text.matchAll(/(\d{6}) \w+ ([0-9a-f]+)\t([^\0]*)\0/g)].map(([, mode = '', id = '', name = '']) => ({
    mode,
    id,
    name,
  }));
}
