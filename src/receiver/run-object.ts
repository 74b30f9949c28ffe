// The GitHookRun that records a push for a GitHook. Called by record.ts. Pure.
// Texts from the forge are untrusted: made one line each and cut to what the CRD allows.
import type { GitHook, GitHookSpec } from '../api/githook.ts';
import type { GitHookRun, GitHookRunSpec, GitHookRunSpecDelivery } from '../api/githookrun.ts';
import { runName } from '../api/identity.ts';
import { apiVersion, commitLabel, gitHookLabel } from '../api/keys.ts';
import { commitLabelValue, gitHookLabelValue } from '../api/labels.ts';
import type { ObjectMeta } from '../api/object.ts';
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

/** The CRD's limit for author and message, in characters. */
const maxText = 256;

/** The run with this number, whole, as it is to be created. */
export function runObject(recording: Recording, sequence: number): GitHookRun {
  return {
    apiVersion,
    kind: 'GitHookRun',
    metadata: metadataOf(recording, sequence),
    spec: { ...pushOf(recording), ...snapshotOf(recording.gitHook.spec), sequence },
  };
}

/** The delivery as a run remembers it. */
export function deliveryOf({ delivery, receivedMs }: ToldPush): GitHookRunSpecDelivery {
  const { id, hookId, digest } = delivery;
  return { id, ...(hookId === undefined ? {} : { hookId }), digest, receivedTime: formatTime(receivedMs) };
}

/** Owned, so that a GitHook's runs go with it; no blockOwnerDeletion, which would need a permission of its own. */
function metadataOf({ gitHook, push }: Recording, sequence: number): ObjectMeta {
  const { name = '', namespace = '', uid = '' } = gitHook.metadata;
  const repository = canonicalRepository(gitHook.spec.repository) ?? gitHook.spec.repository;
  return {
    name: runName({ gitHook: { name, uid }, repository, ref: push.ref, after: push.after }, sequence),
    namespace,
    labels: { [gitHookLabel]: gitHookLabelValue(name), [commitLabel]: commitLabelValue(push.commit) },
    ownerReferences: [{ apiVersion, kind: 'GitHook', name, uid, controller: true }],
  };
}

type Snapshot = {
  readonly [Field in keyof GitHookSpec & keyof GitHookRunSpec]-?: GitHookSpec[Field] | undefined;
} & Pick<GitHookSpec, 'repository' | 'manifest'>;

function pushOf(recording: Recording): Omit<GitHookRunSpec, keyof Snapshot | 'sequence'> {
  const { gitHook, push, receivedMs } = recording;
  const { name = '', uid = '' } = gitHook.metadata;
  return {
    gitHookRef: { name, uid },
    source: recording.source,
    forge: push.forge,
    ...(recording.source === 'Poll' ? {} : { delivery: deliveryOf(recording) }),
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

/** What the GitHook says now; the type makes sure that no field of both is forgotten. Undefined fields are not sent. */
function snapshotOf(spec: GitHookSpec): Snapshot {
  return {
    repository: spec.repository,
    manifest: spec.manifest,
    suspend: spec.suspend,
    timestampSuffix: spec.timestampSuffix,
    serviceAccountName: spec.serviceAccountName,
    argoWorkflow: spec.argoWorkflow,
    environment: spec.environment,
    usernameSecret: spec.usernameSecret,
    passwordSecret: spec.passwordSecret,
    sshPrivateKeySecret: spec.sshPrivateKeySecret,
    knownHosts: spec.knownHosts,
    notification: spec.notification,
  };
}
