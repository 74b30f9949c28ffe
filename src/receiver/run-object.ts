// The GitHookRun that records a push for a GitHook. Called by record.ts. Pure.
// Texts from the forge are untrusted: made one line each and cut to what the CRD allows.
import type { GitHook } from '../api/githook.ts';
import type { GitHookRun, GitHookRunSpecDelivery } from '../api/githookrun.ts';
import { runName } from '../api/identity.ts';
import { maxWords, newRun, type PushFields } from '../api/new-run.ts';
import type { DeliveryId, Push } from '../api/push.ts';
import { canonicalRepository } from '../api/repository.ts';
import { formatTime } from '../clock.ts';
import { oneLine } from '../text.ts';

/** A verified push, for one GitHook that it matches. */
export type Recording = ToldPush | SeenPush;

interface PushFor {
  readonly gitHook: GitHook;
  readonly push: Push;
  /** When kube-git came to know of it, in milliseconds since 1970. */
  readonly receivedMs: number;
}

/** A push that a delivery tells of. */
export interface ToldPush extends PushFor {
  readonly source: 'Webhook' | 'DeliveryLog';
  readonly delivery: DeliveryId;
}

/** A push that nobody told of: the ref has moved since it was last looked at, at `unseenMs`. */
export interface SeenPush extends PushFor {
  readonly source: 'Poll';
  readonly unseenMs: number;
}

/** The run with this number, whole, as it is to be created. */
export function runObject(recording: Recording, sequence: number): GitHookRun {
  const { gitHook, push } = recording;
  const { name = '', uid = '' } = gitHook.metadata;
  const repository = canonicalRepository(gitHook.spec.repository) ?? gitHook.spec.repository;
  const identity = { gitHook: { name, uid }, repository, ref: push.ref, after: push.after };
  return newRun(gitHook, runName(identity, sequence), { ...pushOf(recording), sequence });
}

/** The delivery as a run remembers it. */
export function deliveryOf({ delivery, receivedMs }: ToldPush): GitHookRunSpecDelivery {
  const { id, hookId, digest } = delivery;
  return { id, ...(hookId === undefined ? {} : { hookId }), digest, receivedTime: formatTime(receivedMs) };
}

function pushOf(recording: Recording): Omit<PushFields, 'sequence'> {
  const { push, receivedMs } = recording;
  return {
    source: recording.source,
    forge: push.forge,
    ...(recording.source === 'Poll' ? {} : { delivery: deliveryOf(recording) }),
    receivedTime: new Date(receivedMs).toISOString(),
    ...(push.pushTime === undefined ? {} : { pushTime: push.pushTime }),
    ref: push.ref,
    ...(push.before === undefined ? {} : { before: push.before }),
    after: push.after,
    commit: push.commit,
    author: oneLine(push.author, maxWords),
    message: oneLine(push.message, maxWords),
  };
}
