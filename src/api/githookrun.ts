// Generated from install/crds/githookruns.yaml by npm run generate; change that file instead.

import type { ObjectMeta } from './object.ts';

/** A GitHookRun is the record of one push for one GitHook: what was pushed, what was created for it, how it ended and who was told. kube-git writes it before it answers the forge; users only read it. Deleting a run deletes the resource it created. */
export interface GitHookRun {
  readonly apiVersion: 'kubegit.appspero.com/v1alpha1';
  readonly kind: 'GitHookRun';
  readonly metadata: ObjectMeta;
  readonly spec: GitHookRunSpec;
  readonly status?: GitHookRunStatus;
}

/** The push, and what the GitHook said when it arrived. Never changes. */
export interface GitHookRunSpec {
  /** The GitHook this run belongs to. */
  readonly gitHookRef: GitHookRunSpecGitHookRef;
  /** 1 for the first push of this commit to this ref, 2 when the ref came back to the commit after having been elsewhere, and so on. */
  readonly sequence: number;
  /** How kube-git came to know of the push. Manual: a person asked for the run, by an annotation. */
  readonly source: 'Webhook' | 'Poll' | 'DeliveryLog' | 'Manual';
  /** The run that this one repeats, where a person asked for that. */
  readonly rerunOf?: string;
  /** The forge that told, such as github; git where nobody did and refs were compared. */
  readonly forge: string;
  /** The delivery that made this run. */
  readonly delivery?: GitHookRunSpecDelivery;
  /** When kube-git received the push. */
  readonly receivedTime: string;
  /** When the forge says, in what it signed, that the push happened. */
  readonly pushTime?: string;
  /** The full ref that was pushed, such as refs/heads/main or refs/tags/v1. */
  readonly ref: string;
  /** The object id the ref had before; zeros when it is new; absent when not known. */
  readonly before?: string;
  /** The object id the ref has now: for an annotated tag the tag object. */
  readonly after: string;
  /** The pushed commit: for an annotated tag the commit it points to. */
  readonly commit: string;
  /** The author of the commit. */
  readonly author?: string;
  /** The first line of the commit's message. */
  readonly message?: string;
  /** The GitHook's repository, as it is written there. */
  readonly repository: string;
  /** The GitHook's manifest path. */
  readonly manifest: string;
  /** Whether the GitHook was suspended. */
  readonly suspend?: boolean;
  /** The GitHook's timestampSuffix. */
  readonly timestampSuffix?: boolean;
  /** The GitHook's serviceAccountName. */
  readonly serviceAccountName?: string;
  /** The GitHook's argoWorkflow. */
  readonly argoWorkflow?: GitHookRunSpecArgoWorkflow;
  /** The GitHook's environment. */
  readonly environment?: GitHookRunSpecEnvironment;
  /** The GitHook's reference to a key of a Secret. */
  readonly usernameSecret?: GitHookRunSpecUsernameSecret;
  /** The GitHook's reference to a key of a Secret. */
  readonly passwordSecret?: GitHookRunSpecPasswordSecret;
  /** The GitHook's reference to a key of a Secret. */
  readonly sshPrivateKeySecret?: GitHookRunSpecSshPrivateKeySecret;
  /** The GitHook's knownHosts. */
  readonly knownHosts?: GitHookRunSpecKnownHosts;
  /** The GitHook's notification. */
  readonly notification?: GitHookRunSpecNotification;
}

/** The GitHook this run belongs to. */
export interface GitHookRunSpecGitHookRef {
  readonly name: string;
  readonly uid: string;
}

/** The delivery that made this run. */
export interface GitHookRunSpecDelivery {
  /** The forge's id of the delivery. */
  readonly id: string;
  /** The webhook that sent it, where the forge says so. */
  readonly hookId?: string;
  /** The SHA-256 of its body in hex. */
  readonly digest: string;
  /** When it arrived. */
  readonly receivedTime?: string;
}

/** The GitHook's argoWorkflow. */
export interface GitHookRunSpecArgoWorkflow {
  readonly revisionParameterName?: string;
  readonly branchParameterName?: string;
}

/** The GitHook's environment. */
export interface GitHookRunSpecEnvironment {
  readonly injection?: 'Enabled' | 'Disabled';
}

/** The GitHook's reference to a key of a Secret. */
export interface GitHookRunSpecUsernameSecret {
  readonly name: string;
  readonly key: string;
}

/** The GitHook's reference to a key of a Secret. */
export interface GitHookRunSpecPasswordSecret {
  readonly name: string;
  readonly key: string;
}

/** The GitHook's reference to a key of a Secret. */
export interface GitHookRunSpecSshPrivateKeySecret {
  readonly name: string;
  readonly key: string;
}

/** The GitHook's knownHosts. */
export interface GitHookRunSpecKnownHosts {
  readonly configMapKeyRef?: GitHookRunSpecKnownHostsConfigMapKeyRef;
  readonly secretKeyRef?: GitHookRunSpecKnownHostsSecretKeyRef;
}

export interface GitHookRunSpecKnownHostsConfigMapKeyRef {
  readonly name: string;
  readonly key: string;
}

export interface GitHookRunSpecKnownHostsSecretKeyRef {
  readonly name: string;
  readonly key: string;
}

/** The GitHook's notification. */
export interface GitHookRunSpecNotification {
  readonly github?: string;
  readonly slack?: string;
  readonly context?: string;
}

/** What came of the push. Written by kube-git only. */
export interface GitHookRunStatus {
  /** Pending: the manifest is being fetched. Creating: the resource is being created. Running: it exists and has not ended. Succeeded, Failed: it ended, or could not be created. Skipped: nothing was to be run. */
  readonly phase?: 'Pending' | 'Creating' | 'Running' | 'Succeeded' | 'Failed' | 'Skipped';
  /** Why the run is in this phase, as one word such as Completed, AuthenticationFailed or ImagePullBackOff. */
  readonly reason?: string;
  /** The same as a sentence, with what to change where a person must change something. */
  readonly message?: string;
  /** The resource. Without uid it was about to be created. */
  readonly resource?: GitHookRunStatusResource;
  /** When the resource was created. */
  readonly startTime?: string;
  /** When the run ended. */
  readonly completionTime?: string;
  /** Whether the resource has got back its own clean-up time after the outcome was recorded. */
  readonly handedBack?: boolean;
  /** The value of the annotation kubegit.appspero.com/rerun that was answered last. */
  readonly handledRerun?: string;
  /** The value of the annotation kubegit.appspero.com/cancel that came when the run had ended, and changed nothing. */
  readonly handledCancel?: string;
  /** Succeeded: Unknown while the run goes on, then True or False. For kubectl wait. */
  readonly conditions?: readonly GitHookRunStatusCondition[];
  /** Further deliveries that told of the same push, through other webhooks. */
  readonly deliveries?: readonly GitHookRunStatusDelivery[];
  /** Who is to be told of this run, and who has been. */
  readonly sinks?: readonly GitHookRunStatusSink[];
}

/** The resource. Without uid it was about to be created. */
export interface GitHookRunStatusResource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid?: string;
}

export interface GitHookRunStatusCondition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly observedGeneration?: number;
  readonly lastTransitionTime: string;
  readonly reason: string;
  readonly message: string;
}

export interface GitHookRunStatusDelivery {
  /** The forge's id of the delivery. */
  readonly id: string;
  /** The webhook that sent it, where the forge says so. */
  readonly hookId?: string;
  /** The SHA-256 of its body in hex. */
  readonly digest: string;
  /** When it arrived. */
  readonly receivedTime?: string;
}

export interface GitHookRunStatusSink {
  /** The kind of sink, such as github or slack. */
  readonly type: string;
  /** The name of its entry in the notification file. */
  readonly name: string;
  /** What the sink is to be told. Superseded means that a newer run speaks for the commit. */
  readonly desired?: 'Started' | 'Succeeded' | 'Failed' | 'Error' | 'Superseded';
  /** What the sink last accepted. Unknown means that it has to be told again to be sure. */
  readonly told?: 'Started' | 'Succeeded' | 'Failed' | 'Error' | 'Unknown';
  /** When it accepted that. */
  readonly toldTime?: string;
  /** How often telling the desired state has failed. */
  readonly attempts?: number;
  /** When it is tried again. */
  readonly nextAttemptTime?: string;
  /** Why the last attempt failed. */
  readonly lastError?: string;
}
