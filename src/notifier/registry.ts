// The types of sinks. A new one is one file and one row.
import { github } from './github.ts';
import type { NotifierType } from './notifier.ts';
import { slack } from './slack.ts';

export const registry: readonly NotifierType[] = [github, slack];
