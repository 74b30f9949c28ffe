// A kind of resource a manifest may hold: how it is made ready for a push, and how its end is recognised.
// Every implementation is pure. Called by the controller; must not know of the network or of git.
import type { GitHookRun } from '../api/githookrun.ts';
import type { KubeObject } from '../api/object.ts';

/** How far a live resource has come. */
export interface Observation {
  readonly phase: 'Running' | 'Succeeded' | 'Failed';
  /** One word in CamelCase: the resource's own where it gives one. */
  readonly reason: string;
  readonly message: string;
  /** RFC 3339; only of an ended resource, where it says so. */
  readonly completionTime?: string;
  /** Label selector of pods worth looking at, because nothing of the resource is running yet. */
  readonly waitingPods?: string;
  /** Label selector of pods that may say why the resource failed, where it does not say so itself. */
  readonly failedPods?: string;
}

/**
 * What is to be done to have a resource end before its time: a merge patch; its deletion, where nothing else would end it;
 * nothing, as it is being stopped, or has been; nothing, as it has ended by itself.
 */
export type Stop = { readonly patch: Readonly<Record<string, unknown>> } | 'delete' | 'stopped' | 'ended';

export interface ResourceKind {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  /** What people call it in messages, such as Job or Argo Workflow. */
  readonly title: string;
  /** A sentence that says how; only of a kind that a cluster need not have. */
  readonly howToInstall?: string;
  /** The fields of spec that the methods for live objects read: no others are kept in memory. */
  readonly specFields: readonly string[];
  /**
   * The object to create for this run: name, namespace, owner, labels, annotations, what the push has to tell, and a
   * clean-up time that outlasts kube-git's own work. Never changes the manifest; the same input gives the same object.
   * Throws TerminalError where the manifest asks for what is refused.
   */
  render(manifest: KubeObject, run: GitHookRun): KubeObject;
  /** How far it has come. Must bear any shape of status: other programs write it. */
  observe(live: KubeObject): Observation;
  /** The merge patch that gives the resource back its own clean-up time, once its outcome is recorded. */
  handBack(live: KubeObject): Readonly<Record<string, unknown>>;
  /** How to stop it. Must bear any shape, too; once the patch is applied the answer is stopped. */
  stop(live: KubeObject): Stop;
}
