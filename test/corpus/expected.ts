// What kube-git is documented to change in a manifest, said a second time and without its code: name, namespace, owner,
// labels, annotations, clean-up time, parameters, environment. Everything else must come through as it is.
import type { GitHookRun } from '../../src/api/githookrun.ts';
import type { KubeObject } from '../../src/api/object.ts';
import { at, isMapping, type Mapping } from '../../src/resource/mapping.ts';

const ours = 'kubegit.appspero.com';
const ownTtl = `${ours}/own-ttl`;
const month = 2_592_000;
const endLabels = ['workflows.argoproj.io/completed', 'workflows.argoproj.io/phase'];

/** The object that kube-git should create of what another program read, with this name. */
export function expected(read: KubeObject, run: GitHookRun, name: string): unknown {
  const { status, ...rest } = read;
  const isWorkflow = read.kind === 'Workflow';
  const spec = read['spec'] as Mapping;
  const ttl = isWorkflow ? ownStrategy(spec) : spec['ttlSecondsAfterFinished'];
  const created = {
    ...rest,
    ...(isWorkflow || status === undefined ? {} : { status }),
    metadata: metadataOf(read, run, { name, ttl }),
    spec: isWorkflow ? workflowSpec(spec, run) : jobSpec(spec, run),
  };
  return comparable(created);
}

/** With the kept clean-up time as data: the order in which it was written says nothing. */
export function comparable(object: object): unknown {
  const { metadata } = object as KubeObject;
  const kept = metadata.annotations?.[ownTtl];
  if (kept === undefined) return object;
  return { ...object, metadata: { ...metadata, annotations: { ...metadata.annotations, [ownTtl]: JSON.parse(kept) } } };
}

function metadataOf(read: KubeObject, run: GitHookRun, { name, ttl }: { name: string; ttl: unknown }): object {
  const { generateName: _, ownerReferences: _owners, finalizers: _finalizers, ...own } = read.metadata;
  const { ref, commit, author = '', repository, gitHookRef, notification } = run.spec;
  const labels = Object.entries(read.metadata.labels ?? {}).filter(
    ([key]) => read.kind !== 'Workflow' || !endLabels.includes(key),
  );
  const owner = { name: run.metadata.name, uid: run.metadata.uid };
  return {
    ...own,
    name,
    namespace: run.metadata.namespace,
    labels: {
      ...Object.fromEntries(labels),
      [`${ours}/githook`]: gitHookRef.name,
      [`${ours}/run`]: run.metadata.name,
    },
    annotations: {
      ...read.metadata.annotations,
      [`${ours}/branch`]: ref,
      [`${ours}/commit`]: commit,
      [`${ours}/author`]: author,
      [`${ours}/githook`]: `${run.metadata.namespace}/${gitHookRef.name}`,
      [`${ours}/repository`]: repository,
      [`${ours}/github`]: notification?.github,
      [`${ours}/slack`]: notification?.slack,
      [`${ours}/started`]: 'false',
      ...(ttl !== undefined && { [ownTtl]: JSON.stringify(ttl) }),
    },
    ownerReferences: [{ apiVersion: `${ours}/v1alpha1`, kind: 'GitHookRun', controller: true, ...owner }],
  };
}

function ownStrategy(spec: Mapping): unknown {
  const { ttlSecondsAfterFinished: seconds, ttlStrategy: strategy } = spec;
  if (seconds === undefined) return strategy;
  return { secondsAfterCompletion: seconds, ...(strategy as Mapping) };
}

function workflowSpec({ ttlSecondsAfterFinished: _, ...spec }: Mapping, run: GitHookRun): Mapping {
  const revision = { name: run.spec.argoWorkflow?.revisionParameterName, value: run.spec.commit };
  const branch = { name: run.spec.argoWorkflow?.branchParameterName, value: run.spec.ref };
  const own = (at(spec, 'arguments', 'parameters') ?? []) as readonly Mapping[];
  const named = (name: unknown) => own.some((one) => one['name'] === name);
  const filled = own.map((one) => ({ ...one, ...[revision, branch].find(({ name }) => name === one['name']) }));
  const parameters = [...filled, ...[revision, branch].filter(({ name }) => !named(name))];
  const ttlStrategy = { secondsAfterCompletion: month, secondsAfterFailure: month, secondsAfterSuccess: month };
  return { ...spec, arguments: { ...(spec['arguments'] as Mapping | undefined), parameters }, ttlStrategy };
}

function jobSpec(spec: Mapping, run: GitHookRun): Mapping {
  const { repository, ref, commit, before, author } = run.spec;
  const values = { REPOSITORY: repository, REF: ref, BRANCH: ref.replace('refs/heads/', ''), COMMIT: commit };
  const all = { ...values, BEFORE: before, AUTHOR: author, RUN: run.metadata.name };
  const variables = Object.entries(all).map(([name, value]) => ({ name: `KUBEGIT_${name}`, value }));
  const withVariables = (container: Mapping) => ({
    ...container,
    env: [...variables, ...((container['env'] as []) ?? [])],
  });
  const template = spec['template'] as Mapping;
  const pod = template['spec'] as Mapping;
  const lists = ['initContainers', 'containers'].filter((field) => isMapping(pod) && field in pod);
  const changed = lists.map((field) => [field, (pod[field] as Mapping[]).map(withVariables)]);
  return {
    ...spec,
    template: { ...template, spec: { ...pod, ...Object.fromEntries(changed) } },
    ttlSecondsAfterFinished: month,
  };
}
