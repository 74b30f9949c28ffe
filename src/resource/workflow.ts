// argoproj.io/v1alpha1 Workflow (Argo Workflows) as a kind of resource. A cluster may not have it.
import type { GitHookRun } from '../api/githookrun.ts';
import type { KubeObject } from '../api/object.ts';
import { annotationsToRemove, ownTtlOf } from './hand-over.ts';
import { at, isMapping, type Mapping } from './mapping.ts';
import { renderMetadata } from './metadata.ts';
import type { ResourceKind } from './resource.ts';
import { withParameters } from './workflow-parameters.ts';
import { observeWorkflow } from './workflow-phase.ts';
import { stopWorkflow } from './workflow-stop.ts';
import { givenBack, handedOver, isHandedOver, isStrategy, ownStrategy } from './workflow-ttl.ts';

export const workflow: ResourceKind = {
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Workflow',
  plural: 'workflows',
  title: 'Argo Workflow',
  specFields: ['suspend', 'shutdown', 'ttlStrategy'],
  howToInstall:
    'Whoever runs the cluster installs Argo Workflows with kubectl apply of the install.yaml of one of its releases, or with its Helm chart argo-workflows; kube-git needs no restart.',
  render,
  observe: observeWorkflow,
  handBack,
  stop: stopWorkflow,
};

function render(exported: KubeObject, run: GitHookRun): KubeObject {
  const manifest = asNew(exported);
  const { spec } = manifest;
  if (!isMapping(spec)) return { ...manifest, metadata: renderMetadata(manifest, run, { ownTtl: undefined }) };
  const own = ownStrategy(spec);
  const isOwnValid = own === undefined || isStrategy(own);
  // The field of Argo 2 would be refused by, or lost in, Argo 3: ownStrategy has it.
  const { ttlSecondsAfterFinished: _, ...rest } = withParameters(spec, run);
  return {
    ...manifest,
    metadata: renderMetadata(manifest, run, { ownTtl: isOwnValid ? own : undefined }),
    // What is no strategy stays, for the API server or Argo to refuse in their words.
    spec: { ...rest, ttlStrategy: isOwnValid ? handedOver : own },
  };
}

/** Labels by which Argo tells that it is done with a Workflow: it never begins with one that has them. */
const endLabels: readonly string[] = ['workflows.argoproj.io/completed', 'workflows.argoproj.io/phase'];

/**
 * Without what a manifest has that was exported from a cluster. The API server drops the status of a new Job, but not that
 * of a Workflow, whose type has no status subresource: it would have ended before it began.
 */
function asNew({ status: _, ...manifest }: KubeObject): KubeObject {
  const labels: unknown = manifest.metadata.labels;
  if (!isMapping(labels)) return manifest;
  const kept = Object.entries(labels).filter(([key]) => !endLabels.includes(key));
  return {
    ...manifest,
    metadata: { ...manifest.metadata, labels: Object.fromEntries(kept) as Record<string, string> },
  };
}

function handBack(live: KubeObject): Mapping {
  const metadata = { annotations: annotationsToRemove };
  // Another value than ours was set by somebody after the creation, and is theirs to keep.
  if (!isHandedOver(at(live, 'spec', 'ttlStrategy'))) return { metadata };
  return { metadata, spec: { ttlStrategy: givenBack(ownTtlOf(live)) } };
}
