// The GitHookRun that records a push for a GitHook. Called by record.ts. Pure.
// Texts from the forge are untrusted: made one line each and cut to what the CRD allows.
import type { GitHook } from '../api/githook.ts';
import type { GitHookRun, GitHookRunSpecDelivery } from '../api/githookrun.ts';
import { runName } from '../api/identity.ts';
import { newRun, type PushFields } from '../api/new-run.ts';
import type { DeliveryId, Push } from '../api/push.ts';
import { canonicalRepository } from '../api/repository.ts';
import { formatTime } from '../clock.ts';
import { oneLine } from '../text.ts';

/** A verified push, for one GitHook that it matches. */
export interface Recording {
  readonly gitHook: GitHook;
  readonly push: Push;
  readonly delivery: DeliveryId;
  /** When the delivery arrived, in milliseconds since 1970. */
  readonly receivedMs: number;
}

/** The CRD's limit for author and message, in characters. */
const maxText = 256;

/** The run with this number, whole, as it is to be created. */
export function runObject(recording: Recording, sequence: number): GitHookRun {
  const { gitHook, push } = recording;
  const { name = '', uid = '' } = gitHook.metadata;
  const repository = canonicalRepository(gitHook.spec.repository) ?? gitHook.spec.repository;
  const identity = { gitHook: { name, uid }, repository, ref: push.ref, after: push.after };
  return newRun(gitHook, runName(identity, sequence), { ...pushOf(recording), sequence });
}

/** The delivery as a run remembers it. */
export function deliveryOf({ delivery, receivedMs }: Recording): GitHookRunSpecDelivery {
  const { id, hookId, digest } = delivery;
  return { id, ...(hookId === undefined ? {} : { hookId }), digest, receivedTime: formatTime(receivedMs) };
}

function pushOf(recording: Recording): Omit<PushFields, 'sequence'> {
  const { push, receivedMs } = recording;
  return {
    source: 'Webhook',
    forge: push.forge,
    delivery: deliveryOf(recording),
    receivedTime: new Date(receivedMs).toISOString(),
    ...(push.pushTime === undefined ? {} : { pushTime: push.pushTime }),
    ref: push.ref,
    ...(push.before === undefined ? {} : { before: push.before }),
    after: push.after,
    commit: push.commit,
    author: oneLine(push.author, maxText),
    message: oneLine(push.message, maxText),
  };
}
