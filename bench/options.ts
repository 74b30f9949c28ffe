// The arguments of `npm run bench`. Called by main.ts; pure.
import { parseArgs } from 'node:util';

export interface Options {
  /** Names of groups; all when empty. */
  readonly only: readonly string[];
  readonly repeats: number;
  readonly size: number;
  readonly keep: boolean;
}

export const usage = `Usage: npm run bench [-- [options] [group …]]

Measures kube-git beside references on this machine, prints a table, and compares with the figures kept in
docs/performance.json. Ends with 1 when a step got worse than kept by more than 30 %.

Groups: GROUPS (default: all, about half an hour)

  --repeats N   of each figure (default 20)
  --size SHARE  of the largest loads, over 0 and up to 1 (default 1); smaller ones are for trying it out
  --keep        write docs/performance.json, and the tables and plots of docs/performance.md
`;

/** Throws with a sentence where an argument is none of ours. */
export function parseOptions(argv: readonly string[], groups: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      repeats: { type: 'string', default: '20' },
      size: { type: 'string', default: '1' },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) throw new Error('The benchmark.');
  const unknown = positionals.find((name) => !groups.includes(name));
  if (unknown !== undefined) throw new Error(`There is no group ${unknown}.`);
  const [repeats, size] = [Number(values.repeats), Number(values.size)];
  if (!Number.isInteger(repeats) || repeats < 1) throw new Error('--repeats must be a number from 1.');
  if (!(size > 0 && size <= 1)) throw new Error('--size must be over 0 and up to 1.');
  return { only: positionals, repeats, size, keep: values.keep };
}
