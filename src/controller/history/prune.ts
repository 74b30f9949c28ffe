// Deletes runs that the history limits no longer keep, in steps that a crash may come between: what is to go is named in the
// GitHook's status by the write that counts it, then deleted, then struck off. So each run is counted once, deleted or not.
import type { GitHook, GitHookStatusPruning } from '../../api/githook.ts';
import type { GitHookRun } from '../../api/githookrun.ts';
import { maxSequence, runName } from '../../api/identity.ts';
import { gitHookType, runType } from '../../api/keys.ts';
import { keyOf } from '../../api/object.ts';
import { canonicalRepository } from '../../api/repository.ts';
import type { Clock } from '../../clock.ts';
import { ifFound, isConflict, isNotFound, type Kube } from '../../kube/kube.ts';
import { beyondLimits, isPast, type Sequence } from './history.ts';

/** A batch takes whole sequences until it has so many runs: a write of about 10 KB, and a second or two of deletions. */
const batchRuns = 100;

/** Runs grow old without an event. */
const lookAgainMs = 3_600_000;

/** Until the watch shows what was deleted; its events come by themselves, this is for one that is lost. */
const untilShownMs = 5_000;

export interface PruneContext {
  readonly kube: Kube;
  readonly clock: Clock;
}

/** One step. `gitHook` is as it is stored. Returns when to come back, in milliseconds, unless the GitHook changes before. */
export async function prune(
  gitHook: GitHook,
  runs: readonly GitHookRun[],
  context: PruneContext,
  signal: AbortSignal,
): Promise<number> {
  const named = gitHook.status?.pruning ?? [];
  for (const run of named) await deleteRun(gitHook, run, context, signal);
  const gone = new Set(named.map(({ uid }) => uid));
  // Struck off before the watch has shown that they are gone, they would be counted with the runs that are kept.
  if (runs.some(({ metadata }) => gone.has(metadata.uid ?? ''))) return untilShownMs;
  const next = await nextBatch(gitHook, runs, context, signal);
  if (named.length === 0 && next.length === 0) return lookAgainMs;
  const { pruning: _, ...before } = gitHook.status ?? {};
  const status = {
    ...before,
    prunedRuns: (before.prunedRuns ?? 0) + next.filter((run) => run.status?.resource?.uid !== undefined).length,
    ...(next.length > 0 && { pruning: next.map(nameAndUid) }),
  };
  await context.kube.replace<GitHook>(gitHookType, { ...gitHook, status }, { subresource: 'status', signal });
  return untilShownMs;
}

/** With its resource. Another run that has the name by now is left alone. */
async function deleteRun(
  gitHook: GitHook,
  { name, uid }: GitHookStatusPruning,
  { kube }: PruneContext,
  signal: AbortSignal,
): Promise<void> {
  try {
    await kube.delete(runType, { namespace: keyOf(gitHook).namespace, name }, { uid, signal });
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
}

/** What goes next, as the API server itself has it: the watch may show runs that were counted and deleted long ago. */
async function nextBatch(
  gitHook: GitHook,
  runs: readonly GitHookRun[],
  context: PruneContext,
  signal: AbortSignal,
): Promise<readonly GitHookRun[]> {
  const batch: GitHookRun[] = [];
  for (const sequence of beyondLimits(gitHook, runs, context.clock.now())) {
    if (batch.length > 0 && batch.length + sequence.length > batchRuns) break;
    batch.push(...(await verified(sequence, context, signal)));
  }
  return batch;
}

/** The sequence as it is stored; nothing where any run of it is another by now, or where the sequence goes on. */
async function verified(sequence: Sequence, context: PruneContext, signal: AbortSignal): Promise<Sequence> {
  const live: GitHookRun[] = [];
  for (const run of sequence) {
    const found = await read(run, keyOf(run).name, context, signal);
    if (found?.metadata.uid !== run.metadata.uid || found === undefined) return [];
    if (!isPast(found, context.clock.now())) return [];
    live.push(found);
  }
  const next = nextName(sequence.at(-1));
  const goesOn = next !== undefined && (await read(live[0], next, context, signal)) !== undefined;
  return goesOn ? [] : live;
}

async function read(
  sibling: GitHookRun | undefined,
  name: string,
  { kube }: PruneContext,
  signal: AbortSignal,
): Promise<GitHookRun | undefined> {
  const namespace = sibling?.metadata.namespace ?? '';
  return ifFound(kube.get<GitHookRun>(runType, { namespace, name }, { signal }));
}

/** The name of the run that would follow; undefined where none can. */
function nextName(last: GitHookRun | undefined): string | undefined {
  if (last === undefined || last.spec.source === 'Manual' || last.spec.sequence >= maxSequence) return undefined;
  const { gitHookRef, repository: url, ref, after, sequence } = last.spec;
  const repository = canonicalRepository(url) ?? url;
  return runName({ gitHook: gitHookRef, repository, ref, after }, sequence + 1);
}

function nameAndUid({ metadata: { name = '', uid = '' } }: GitHookRun): GitHookStatusPruning {
  return { name, uid };
}
