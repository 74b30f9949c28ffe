// Generated from install/crds/githooks.yaml by npm run generate; change that file instead.

import type { ObjectMeta } from './object.ts';

/** A GitHook names one repository, some of its branches and one manifest in it. On each push to such a branch kube-git takes the manifest (a Job or an Argo Workflow) from the pushed commit, creates it once in the GitHook's namespace, follows it to its end and reports to the forge and the team. Each push leaves a GitHookRun: kubectl get githookruns. */
export interface GitHook {
  readonly apiVersion: 'kubegit.appspero.com/v1alpha1';
  readonly kind: 'GitHook';
  readonly metadata: ObjectMeta;
  readonly spec: GitHookSpec;
  readonly status?: GitHookStatus;
}

/** What to run, and on which pushes. */
export interface GitHookSpec {
  /** The repository's clone URL, http(s) or ssh: https://github.com/acme/app.git, git@github.com:acme/app.git or ssh://git@git.example.com:2222/acme/app.git. A webhook of the same repository matches however it spells the URL. Credentials go into a Secret, never into the URL. */
  readonly repository: string;
  /** Which refs a push must be of: patterns in which * stands for any text, slashes included. A pattern is matched with the full ref (refs/heads/main, refs/tags/v1) and, if it does not begin with refs/, also with the short name of a branch (main, release/*). "*" is every branch and every tag. */
  readonly branches: readonly string[];
  /** The path of the manifest from the root of the repository, for example ci/job.yaml. The file holds one batch/v1 Job or one Argo Workflow in YAML or JSON. It is read from the pushed commit. */
  readonly manifest: string;
  /** Adds the time of the push (seconds since 1970) to the name of a manifest that has metadata.name. Has no effect with metadata.generateName. Every name gets a suffix of the run as well, so two pushes never collide. */
  readonly timestampSuffix?: boolean;
  /** While true a push runs nothing; it leaves a run in phase Skipped, so that it can be seen. */
  readonly suspend?: boolean;
  /** The ServiceAccount of this namespace as which kube-git reads the Secrets named here and creates the resource. Empty means the installation's default (flag -default-service-account). */
  readonly serviceAccountName?: string;
  /** Parameters to fill in when the manifest is an Argo Workflow. Each works alone. */
  readonly argoWorkflow?: GitHookSpecArgoWorkflow;
  /** What the containers of a Job are told about the push. */
  readonly environment?: GitHookSpecEnvironment;
  /** The user name for an http(s) repository: a key of a Secret in this namespace. Without it the user is git, which suits access tokens. */
  readonly usernameSecret?: GitHookSpecUsernameSecret;
  /** The password or access token for an http(s) repository: a key of a Secret in this namespace. */
  readonly passwordSecret?: GitHookSpecPasswordSecret;
  /** The private key for an ssh repository: a key of a Secret in this namespace. */
  readonly sshPrivateKeySecret?: GitHookSpecSshPrivateKeySecret;
  /** Host keys of the ssh server, as lines of a known_hosts file: a key of a Secret or of a ConfigMap in this namespace. Those of GitHub, GitLab.com and Bitbucket Cloud are known without it. */
  readonly knownHosts?: GitHookSpecKnownHosts;
  /** Whom to tell, as names of entries in kube-git's notification file. */
  readonly notification?: GitHookSpecNotification;
  /** How kube-git looks for pushes that no webhook told of. */
  readonly poll?: GitHookSpecPoll;
  /** How many runs that succeeded or were skipped are kept once they ended more than a week ago; default 10. Younger ones are always kept, because they are how a push that is delivered again is recognised. */
  readonly successfulRunsHistoryLimit?: number;
  /** The same for runs that failed; default 10. */
  readonly failedRunsHistoryLimit?: number;
}

/** Parameters to fill in when the manifest is an Argo Workflow. Each works alone. */
export interface GitHookSpecArgoWorkflow {
  /** The parameter under spec.arguments that gets the commit's id. Added when missing. */
  readonly revisionParameterName?: string;
  /** The parameter under spec.arguments that gets the full ref, such as refs/heads/main. Added when missing. */
  readonly branchParameterName?: string;
}

/** What the containers of a Job are told about the push. */
export interface GitHookSpecEnvironment {
  /** Enabled sets KUBEGIT_REPOSITORY, KUBEGIT_REF, KUBEGIT_BRANCH, KUBEGIT_COMMIT, KUBEGIT_BEFORE, KUBEGIT_AUTHOR and KUBEGIT_RUN in every container of a Job that does not set them itself. Disabled leaves the containers alone. */
  readonly injection: 'Enabled' | 'Disabled';
}

/** The user name for an http(s) repository: a key of a Secret in this namespace. Without it the user is git, which suits access tokens. */
export interface GitHookSpecUsernameSecret {
  /** The name of a Secret in the GitHook's namespace. */
  readonly name: string;
  /** The key in that Secret. */
  readonly key: string;
}

/** The password or access token for an http(s) repository: a key of a Secret in this namespace. */
export interface GitHookSpecPasswordSecret {
  /** The name of a Secret in the GitHook's namespace. */
  readonly name: string;
  /** The key in that Secret. */
  readonly key: string;
}

/** The private key for an ssh repository: a key of a Secret in this namespace. */
export interface GitHookSpecSshPrivateKeySecret {
  /** The name of a Secret in the GitHook's namespace. */
  readonly name: string;
  /** The key in that Secret. */
  readonly key: string;
}

/** Host keys of the ssh server, as lines of a known_hosts file: a key of a Secret or of a ConfigMap in this namespace. Those of GitHub, GitLab.com and Bitbucket Cloud are known without it. */
export interface GitHookSpecKnownHosts {
  /** A key of a ConfigMap. */
  readonly configMapKeyRef?: GitHookSpecKnownHostsConfigMapKeyRef;
  /** A key of a Secret. */
  readonly secretKeyRef?: GitHookSpecKnownHostsSecretKeyRef;
}

/** A key of a ConfigMap. */
export interface GitHookSpecKnownHostsConfigMapKeyRef {
  /** The name of a ConfigMap in the GitHook's namespace. */
  readonly name: string;
  /** The key in that ConfigMap. */
  readonly key: string;
}

/** A key of a Secret. */
export interface GitHookSpecKnownHostsSecretKeyRef {
  /** The name of a Secret in the GitHook's namespace. */
  readonly name: string;
  /** The key in that Secret. */
  readonly key: string;
}

/** Whom to tell, as names of entries in kube-git's notification file. */
export interface GitHookSpecNotification {
  /** An entry under github: in the notification file. The commit gets a status: pending, success, failure, or error when nothing could be started or the run was cancelled. */
  readonly github?: string;
  /** An entry under slack: in the notification file. Its channel gets a message when the resource starts, ends, could not be started, or was cancelled. */
  readonly slack?: string;
  /** The context of the commit status. Default kube-git/<namespace>/<githook>, or what the flag -status-context says. */
  readonly context?: string;
}

/** How kube-git looks for pushes that no webhook told of. */
export interface GitHookSpecPoll {
  /** How often the repository's branches and tags are compared with what they were. What has changed and has not been told of two minutes later is run. Default 600, which is ten minutes, or what the flag -poll-interval says. 0 turns it off; what is less than 30 counts as 30. */
  readonly intervalSeconds?: number;
}

/** What kube-git last did for this GitHook. Written by kube-git only. */
export interface GitHookStatus {
  /** The generation of the spec that the conditions speak of. */
  readonly observedGeneration?: number;
  /** The commit of the newest run whose resource was created. */
  readonly lastCommit?: string;
  /** Its full ref. */
  readonly branch?: string;
  /** The author of its head commit. */
  readonly author?: string;
  /** The resource it created. */
  readonly appliedResource?: GitHookStatusAppliedResource;
  /** How many resources were ever created for this GitHook: those of the runs that are kept, and prunedRuns. */
  readonly triggerCount?: number;
  /** How many runs with a resource are counted but no longer kept. */
  readonly prunedRuns?: number;
  /** The runs that are being deleted because of the history limits. Those with a resource are in prunedRuns already. */
  readonly pruning?: readonly GitHookStatusPruning[];
  /** When the newest resource was created. */
  readonly lastTrigger?: string | null;
  /** The value of the annotation kubegit.appspero.com/run-now that was answered last. */
  readonly handledRun?: string;
  /** How the search for pushes that no webhook told of goes: Poll compares refs, DeliveryLog reads the forge's log of deliveries. */
  readonly recovery?: readonly GitHookStatusRecovery[];
  /** Ready: pushes are received and the last one could start its resource. Stalled: a person must change something, the message says what. */
  readonly conditions?: readonly GitHookStatusCondition[];
}

/** The resource it created. */
export interface GitHookStatusAppliedResource {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly namespace?: string;
  readonly name?: string;
}

export interface GitHookStatusPruning {
  readonly name: string;
  readonly uid: string;
}

export interface GitHookStatusRecovery {
  readonly source: 'Poll' | 'DeliveryLog';
  /** When it last worked; renewed at most every ten minutes. */
  readonly lastSuccessTime?: string;
  /** Why it does not work, with what to change; absent when the last attempt worked. */
  readonly lastError?: string;
  /** How many pushes it has found that nobody had told of. */
  readonly found?: number;
  /** When it found the last of them. */
  readonly lastFoundTime?: string;
  /** Up to where the log of deliveries has been read. */
  readonly cursor?: string;
}

export interface GitHookStatusCondition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly observedGeneration?: number;
  readonly lastTransitionTime: string;
  readonly reason: string;
  readonly message: string;
}
