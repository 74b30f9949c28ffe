// What commits, tags and trees say. Pure; the formats are git-cat-file(1)'s raw content.
import type { Entry } from '../tree.ts';
import type { GitObject } from './pack.ts';
import { Unusable } from './unusable.ts';

const idPattern = '([0-9a-f]{40}|[0-9a-f]{64})';

/** The tree of a commit. Throws Unusable. */
export function treeOf({ content }: GitObject): string {
  return firstId(content, 'tree');
}

/** What an annotated tag stands for. Throws Unusable. */
export function taggedBy({ content }: GitObject): string {
  return firstId(content, 'object');
}

function firstId(content: Buffer, word: string): string {
  const id = new RegExp(`^${word} ${idPattern}\n`).exec(content.toString('latin1', 0, 80))?.[1];
  if (id === undefined) throw new Unusable(`an object without a ${word}`);
  return id;
}

/** `<mode> <name>\0<id in bytes>` each. Throws Unusable. */
export function entriesOf({ content }: GitObject, format: 'sha1' | 'sha256'): readonly Entry[] {
  const idBytes = format === 'sha1' ? 20 : 32;
  const entries: Entry[] = [];
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(0x20, at);
    const nul = content.indexOf(0, space);
    const end = nul + 1 + idBytes;
    if (space < 0 || nul < 0 || end > content.length) throw new Unusable('a tree that cannot be read');
    entries.push({
      mode: content.toString('latin1', at, space).padStart(6, '0'),
      name: content.toString('utf8', space + 1, nul),
      id: content.toString('hex', nul + 1, end),
    });
    at = end;
  }
  return entries;
}
