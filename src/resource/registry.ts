// The kinds of resource a manifest may hold. Adding one is one file and one row here.
import { TerminalError } from '../errors.ts';
import { oneLine } from '../text.ts';
import { job } from './job.ts';
import type { ResourceKind } from './resource.ts';
import { workflow } from './workflow.ts';

export const resourceKinds: readonly ResourceKind[] = [job, workflow];

/** What a manifest, or a reference to what was made of one, says it is. */
interface Typed {
  readonly apiVersion: string;
  readonly kind: string;
}

/** Characters of a found apiVersion or kind that are shown: real ones are shorter. */
const shownLimit = 100;

/** Kinds people try, and what to write instead. */
const advice: Readonly<Record<string, string>> = {
  CronJob: 'A push is what starts it here, so take its spec.jobTemplate.spec as the spec of a Job.',
  Pod: 'Take its spec as the spec.template.spec of a Job.',
  List: 'A manifest holds one object: take it out of the list.',
  JobList: 'A manifest holds one object: take the Job out of the list.',
  WorkflowList: 'A manifest holds one object: take the Workflow out of the list.',
  CronWorkflow: 'A push is what starts it here, so take its spec.workflowSpec as the spec of a Workflow.',
  WorkflowTemplate: 'Write a Workflow whose spec.workflowTemplateRef names it.',
  ClusterWorkflowTemplate: 'Write a Workflow whose spec.workflowTemplateRef names it, with clusterScope: true.',
};

/** The kind of that apiVersion and kind. Throws TerminalError KindNotAllowed, saying what was found and what may be written. */
export function kindOf(found: Typed): ResourceKind {
  const kind = resourceKinds.find((one) => one.apiVersion === found.apiVersion && one.kind === found.kind);
  if (kind !== undefined) return kind;
  throw new TerminalError(
    'KindNotAllowed',
    `The manifest holds ${named(found)}, which kube-git does not create. ${whatToWrite(found)}`,
  );
}

function named({ apiVersion, kind }: Typed): string {
  return `a ${oneLine(kind, shownLimit)} of ${oneLine(apiVersion, shownLimit)}`;
}

function whatToWrite(found: Typed): string {
  const meant = resourceKinds.find(
    (one) => one.kind.toLowerCase() === found.kind.toLowerCase() && sameGroup(one, found),
  );
  if (meant !== undefined) return `Write apiVersion: ${meant.apiVersion} and kind: ${meant.kind}.`;
  const allowed = resourceKinds.map((one) => `a ${one.kind} of ${one.apiVersion}`).join(' or ');
  const special = Object.hasOwn(advice, found.kind) ? `${advice[found.kind]} ` : '';
  return `${special}It may hold ${allowed}: something that runs to an end.`;
}

/** Whether the group was right, or the version was forgotten or mistaken for it. */
function sameGroup(one: ResourceKind, found: Typed): boolean {
  const [group] = one.apiVersion.split('/');
  const [foundGroup] = found.apiVersion.split('/');
  return foundGroup === group || !found.apiVersion.includes('/');
}
