// The groups of `npm run bench`, in their order. Adding one is one file and one row.
import type { Group } from '../group.ts';

export const groups: readonly Group[] = [];
