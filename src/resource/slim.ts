// What is kept in memory of a live resource: all that the methods of its kind read, and no more. A Workflow of a hundred steps has
// megabytes of templates and nodes. Called by the controller's watches; pure.
import { type KubeObject, withoutManagers } from '../api/object.ts';
import { isMapping, type Mapping } from './mapping.ts';
import type { ResourceKind } from './resource.ts';

/** Of a step of a Workflow. */
const nodeFields = ['type', 'phase', 'message', 'name', 'displayName', 'finishedAt'];
/** Copies of templates that Argo keeps for itself. */
const notRead = new Set(['storedTemplates', 'storedWorkflowTemplateSpec']);

/** The object for memory: every method of the kind for live objects says the same of it. Bears any shape. */
export function slim(live: KubeObject, { specFields }: Pick<ResourceKind, 'specFields'>): KubeObject {
  const { spec, status, ...rest } = live;
  return {
    ...rest,
    metadata: withoutManagers(live).metadata,
    ...(isMapping(spec) ? { spec: pick(spec, specFields) } : {}),
    ...(isMapping(status) ? { status: slimStatus(status) } : {}),
  };
}

function slimStatus(status: Mapping): Mapping {
  const kept = Object.fromEntries(Object.entries(status).filter(([name]) => !notRead.has(name)));
  const { nodes } = status;
  if (!isMapping(nodes)) return kept;
  const slimmed = Object.entries(nodes).map(([id, node]) => [id, isMapping(node) ? pick(node, nodeFields) : node]);
  return { ...kept, nodes: Object.fromEntries(slimmed) };
}

function pick(from: Mapping, names: readonly string[]): Mapping {
  return Object.fromEntries(names.filter((name) => name in from).map((name) => [name, from[name]]));
}
