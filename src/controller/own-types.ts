// Where our own objects live in the API.
import type { GitHookRun } from '../api/githookrun.ts';
import { group, version } from '../api/keys.ts';
import { keyOf } from '../api/object.ts';

export const runType = { group, version, plural: 'githookruns' } as const;
export const gitHookType = { group, version, plural: 'githooks' } as const;

/** The GitHook a run belongs to, as namespace/name. */
export function gitHookKey(run: GitHookRun): string {
  return `${keyOf(run).namespace}/${run.spec.gitHookRef.name}`;
}
