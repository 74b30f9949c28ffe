// The shell blocks of a task page, for tests that follow it by copy and paste.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface DocBlock {
  /** The heading above it. */
  readonly heading: string;
  readonly script: string;
  /** Why a test without a node cannot run it, from a comment above it; undefined where it can. */
  readonly reason: string | undefined;
}

/** In their order. `page` is a file of docs/. */
export function blocksOf(page: string): DocBlock[] {
  const text = readFileSync(join(import.meta.dirname, '../../docs', page), 'utf8');
  const pattern = /^## (.+)$|(?:<!-- not run: (.+?) -->\s+)?^( *)```sh\n([\s\S]*?)^ *```$/gm;
  const blocks: DocBlock[] = [];
  let heading = '';
  for (const [, title, reason, indent = '', body = ''] of text.matchAll(pattern)) {
    if (title !== undefined) heading = title;
    else blocks.push({ heading, script: body.replaceAll(new RegExp(`^${indent}`, 'gm'), ''), reason });
  }
  return blocks;
}
