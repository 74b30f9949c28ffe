// The groups of `npm run bench`, in their order. Adding one is one file and one row.
import type { Group } from '../group.ts';
import { accept } from './accept.ts';
import { burst } from './burst.ts';
import { fetch } from './fetch.ts';
import { footprint } from './footprint.ts';
import { push } from './push.ts';
import { scale } from './scale.ts';

export const groups: readonly Group[] = [accept, push, fetch, burst, scale, footprint];
