// Records a push for a GitHook exactly once, whoever else does it at the same time. Called by receive.ts.
// Walks the runs of the push by the rules of api/identity.ts; the API server's unique names and resource versions settle races.

import type { GitHookRun } from '../api/githookrun.ts';
import { covers, decide, maxSequence, type Verdict } from '../api/identity.ts';
import { runType } from '../api/keys.ts';
import { formatKey, keyOf } from '../api/object.ts';
import { TerminalError } from '../errors.ts';
import { isAlreadyExists, isConflict, isNotFound, type Kube } from '../kube/kube.ts';
import { deliveryOf, type Recording, runObject, type ToldPush } from './run-object.ts';

/** What became of it. `run` is namespace/name of the push's run, new or old. */
export interface Recorded {
  readonly kind: 'created' | 'duplicate' | 'claimed';
  readonly run: string;
}

export interface RecordContext {
  readonly kube: Kube;
  readonly signal: AbortSignal;
}

/** The CRD's limit of status.deliveries; GitHub allows 20 webhooks for each of repository and organisation. */
const maxDeliveries = 64;
/** How often one run is looked at again because somebody else was faster or it has just gone: all may add theirs at once. */
const maxAttempts = maxDeliveries;

/**
 * Returns only when the push's run is stored. Throws TerminalError (TooManyRuns) when the numbers are used up, the
 * API server's errors, and an Error when others were faster too often.
 */
export async function record(recording: Recording, context: RecordContext): Promise<Recorded> {
  for (let sequence = 1; sequence <= maxSequence; sequence += 1) {
    const recorded = await recordAs(runObject(recording, sequence), recording, context);
    if (recorded !== undefined) return recorded;
  }
  const { ref, after } = recording.push;
  const message = `${ref} came back to ${after} more than ${maxSequence} times: delete the runs of this GitHook`;
  throw new TerminalError('TooManyRuns', message);
}

/** The result for this number, or undefined when it belongs to another push. */
async function recordAs(
  wanted: GitHookRun,
  recording: Recording,
  context: RecordContext,
): Promise<Recorded | undefined> {
  const run = formatKey(keyOf(wanted));
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    const existing = await createOrGet(wanted, context);
    if (existing === 'created') return { kind: 'created', run };
    if (existing === undefined) continue;
    if (!isOfPush(existing, wanted)) return undefined;
    const verdict = verdictOn(existing, recording);
    if (verdict === 'next') return undefined;
    if (verdict === 'duplicate' || recording.source === 'Poll') return { kind: 'duplicate', run };
    if (await claim(existing, recording, context)) return { kind: 'claimed', run };
  }
  throw new Error(`run ${run} changed ${maxAttempts} times while the push was recorded`);
}

/** What is stored under the name; undefined when it has gone since, so that the name is free again. */
async function createOrGet(
  wanted: GitHookRun,
  { kube, signal }: RecordContext,
): Promise<GitHookRun | 'created' | undefined> {
  try {
    await kube.create(runType, wanted, { signal });
    return 'created';
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
  try {
    return await kube.get<GitHookRun>(runType, keyOf(wanted), { signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    return undefined;
  }
}

function verdictOn(run: GitHookRun, recording: Recording): Verdict {
  if (recording.source !== 'Poll') return decide(run, recording);
  return covers(run, recording.unseenMs) ? 'duplicate' : 'next';
}

/** A name holds 60 bits of a hash, so it could be another push's. */
function isOfPush({ spec }: GitHookRun, wanted: GitHookRun): boolean {
  const { gitHookRef, ref, after } = wanted.spec;
  return spec.gitHookRef.uid === gitHookRef.uid && spec.ref === ref && spec.after === after;
}

/** Adds the delivery by compare-and-swap. False when the run changed or went meanwhile: to be looked at again. */
async function claim(run: GitHookRun, recording: ToldPush, { kube, signal }: RecordContext): Promise<boolean> {
  const deliveries = [...(run.status?.deliveries ?? []), deliveryOf(recording)];
  if (deliveries.length > maxDeliveries) return true;
  try {
    const changed = { ...run, status: { ...run.status, deliveries } };
    await kube.replace(runType, changed, { subresource: 'status', signal });
    return true;
  } catch (error) {
    if (!isConflict(error) && !isNotFound(error)) throw error;
    return false;
  }
}
