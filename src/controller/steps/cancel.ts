// A run that a person cancels: its resource is stopped, and the run ends when the resource has. Called by spine 2, again and
// again until then: what is to be done follows from the resource alone.
import type { GitHookRun } from '../../api/githookrun.ts';
import { type KubeObject, keyOf } from '../../api/object.ts';
import { cancelled, type Standing } from '../../api/phase.ts';
import { ApiError, isNotFound } from '../../kube/kube.ts';
import type { ResourceKind, Stop } from '../../resource/resource.ts';
import { accountIn } from '../permission.ts';
import type { RunContext } from '../run-context.ts';
import { typeOf } from './child.ts';

interface Created {
  readonly kind: ResourceKind;
  readonly child: KubeObject;
}

/** The end of a run that is cancelled before it has created anything, and so never will. */
export const nothingCreated: Standing = ended('Asked for by hand, before anything was created.');

/** The end of a run whose resource is gone. */
export function stoppedAndGone({ title }: ResourceKind, name: string): Standing {
  return ended(`Asked for by hand; the ${title} ${name} is stopped and gone.`);
}

function ended(message: string): Standing {
  return { phase: 'Failed', reason: cancelled, message };
}

/** Stops the resource unless that is done; where the run stands then. A resource that ended by itself has its own outcome. */
export async function cancel(
  run: GitHookRun,
  { kind, child }: Created,
  context: RunContext,
  signal: AbortSignal,
): Promise<Standing> {
  const seen = kind.observe(child);
  const stop = kind.stop(child);
  if (seen.phase !== 'Running') {
    if (stop === 'ended') return context.explain(run, seen, signal);
    const { completionTime } = seen;
    const standing = ended(`Asked for by hand; the ${kind.title} ${child.metadata.name} is stopped.`);
    return { ...standing, ...(completionTime && { completionTime }) };
  }
  const refusal =
    typeof stop === 'object' || stop === 'delete'
      ? await apply(stop, run, { kind, child }, context, signal)
      : undefined;
  if (refusal !== undefined) return { phase: 'Running', reason: 'CancelRefused', message: refusal };
  return { phase: 'Running', reason: 'Cancelling', message: `Cancelled by hand: the ${kind.title} is being stopped.` };
}

/** Why it cannot be stopped as things are; undefined where it is on its way. Throws what may work with the next attempt. */
async function apply(
  stop: Exclude<Stop, 'stopped' | 'ended'>,
  run: GitHookRun,
  { kind, child }: Created,
  context: RunContext,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { kube, remedy } = context.actingFor(run);
  const { uid = '' } = child.metadata;
  try {
    if (stop === 'delete') await kube.delete(typeOf(kind), keyOf(child), { uid, signal });
    // With the UID in the patch another object of the same name is a conflict, not a victim.
    else await kube.patch(typeOf(kind), keyOf(child), { ...stop.patch, metadata: { uid } }, { signal });
    return undefined;
  } catch (error) {
    // It has gone meanwhile, which the next look finds.
    if (isNotFound(error)) return undefined;
    if (!(error instanceof ApiError) || ![400, 403, 422].includes(error.status)) throw error;
    const what = `the ${kind.title} ${child.metadata.name}`;
    if (!/\bUser ".*" cannot /.test(error.message))
      return `The cluster refuses to stop ${what}: ${error.message}. It is tried again.`;
    return `${accountIn(error.message)} may not stop ${what}: ${error.message}. ${remedy}. It is tried again.`;
  }
}
