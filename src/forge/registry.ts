// The forges kube-git understands. Adding one is one file and one row.
import type { Forge } from './forge.ts';
import { gitea } from './gitea.ts';
import { github } from './github.ts';

export const forges: readonly Forge[] = [github, gitea];
