// What every new run has, however it came about: its place, its owner, its labels, and the GitHook's fields of this moment. Pure.
import type { GitHook, GitHookSpec } from './githook.ts';
import type { GitHookRun, GitHookRunSpec } from './githookrun.ts';
import { apiVersion, commitLabel, gitHookLabel } from './keys.ts';
import { commitLabelValue, gitHookLabelValue } from './labels.ts';
import type { ObjectMeta } from './object.ts';

/** The CRD's limit for author and message, in characters. */
export const maxWords = 256;

/** The fields of a GitHook that its runs keep; the type makes sure that no field of both is forgotten. */
type Snapshot = {
  readonly [Field in keyof GitHookSpec & keyof GitHookRunSpec]-?: GitHookSpec[Field] | undefined;
} & Pick<GitHookSpec, 'repository' | 'manifest'>;

/** What a run says of its push. */
export type PushFields = Omit<GitHookRunSpec, keyof Snapshot | 'gitHookRef'>;

/** The run of this name, whole, as it is to be created. */
export function newRun(gitHook: GitHook, name: string, push: PushFields): GitHookRun {
  const { name: gitHookName = '', uid = '' } = gitHook.metadata;
  return {
    apiVersion,
    kind: 'GitHookRun',
    metadata: metadataOf(gitHook, name, push.commit),
    spec: { gitHookRef: { name: gitHookName, uid }, ...push, ...snapshotOf(gitHook.spec) },
  };
}

/** Owned, so that a GitHook's runs go with it; no blockOwnerDeletion, which would need a permission of its own. */
function metadataOf(gitHook: GitHook, name: string, commit: string): ObjectMeta {
  const { name: owner = '', namespace = '', uid = '' } = gitHook.metadata;
  return {
    name,
    namespace,
    labels: { [gitHookLabel]: gitHookLabelValue(owner), [commitLabel]: commitLabelValue(commit) },
    ownerReferences: [{ apiVersion, kind: 'GitHook', name: owner, uid, controller: true }],
  };
}

/** What the GitHook says now. Undefined fields are not sent. */
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
