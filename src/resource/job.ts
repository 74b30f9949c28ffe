// batch/v1 Job as a kind of resource.
import type { GitHookRun } from '../api/githookrun.ts';
import type { KubeObject } from '../api/object.ts';
import { withEnvironment } from './environment.ts';
import { annotationsToRemove, handOverSeconds, leastSeconds, ownTtlOf } from './hand-over.ts';
import { observeJob } from './job-phase.ts';
import { stopJob } from './job-stop.ts';
import { at, countAt, isMapping, type Mapping } from './mapping.ts';
import { renderMetadata } from './metadata.ts';
import type { ResourceKind } from './resource.ts';

/** What spec.ttlSecondsAfterFinished can hold: an int32. */
const maxTtlSeconds = 2 ** 31 - 1;

export const job: ResourceKind = {
  apiVersion: 'batch/v1',
  kind: 'Job',
  plural: 'jobs',
  title: 'Job',
  specFields: ['suspend', 'ttlSecondsAfterFinished', 'activeDeadlineSeconds'],
  render,
  observe: observeJob,
  handBack,
  stop: stopJob,
};

function render(manifest: KubeObject, run: GitHookRun): KubeObject {
  const { spec } = manifest;
  const ownTtl = at(spec, 'ttlSecondsAfterFinished') ?? undefined;
  const metadata = renderMetadata(manifest, run, { ownTtl, reserve: indexLength(spec) });
  if (!isMapping(spec)) return { ...manifest, metadata };
  return { ...manifest, metadata, spec: { ...withTemplate(spec, run), ...handedOver(ownTtl) } };
}

/** kube-git's clean-up time, unless the manifest's own is none that the API server takes: then it has to say so. */
function handedOver(ownTtl: unknown): Mapping {
  return ownTtl === undefined || isTtl(ownTtl) ? { ttlSecondsAfterFinished: handOverSeconds } : {};
}

function isTtl(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= maxTtlSeconds;
}

function withTemplate(spec: Mapping, run: GitHookRun): Mapping {
  const { template } = spec;
  if (!isMapping(template) || !isMapping(template['spec'])) return spec;
  return { ...spec, template: { ...template, spec: withEnvironment(template['spec'], run) } };
}

/** The host name of an indexed Job's pod is the Job's name, a hyphen and the index, and may have 63 characters too. */
function indexLength(spec: unknown): number {
  if (at(spec, 'completionMode') !== 'Indexed') return 0;
  return `-${Math.max(countAt(spec, 'completions') - 1, 0)}`.length;
}

function handBack(live: KubeObject): Mapping {
  const metadata = { annotations: annotationsToRemove };
  // Another value than ours was set by somebody after the creation, and is theirs to keep.
  if (at(live, 'spec', 'ttlSecondsAfterFinished') !== handOverSeconds) return { metadata };
  const own = ownTtlOf(live);
  return { metadata, spec: { ttlSecondsAfterFinished: isTtl(own) ? Math.max(own, leastSeconds) : null } };
}
