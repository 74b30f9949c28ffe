// The clean-up time of an Argo Workflow: spec.ttlStrategy, in Argo 2 also spec.ttlSecondsAfterFinished.
// What hand-over.ts says of clean-up times, for this shape.
import { handOverSeconds, leastSeconds } from './hand-over.ts';
import { isMapping, type Mapping } from './mapping.ts';

const members = ['secondsAfterCompletion', 'secondsAfterSuccess', 'secondsAfterFailure'] as const;

/** Seconds by the outcome; Argo takes secondsAfterCompletion where the outcome has none of its own. */
type Strategy = Readonly<Partial<Record<(typeof members)[number], number>>>;

/**
 * kube-git's clean-up time. All members, because Argo fills those that are missing from its workflowDefaults and from the
 * WorkflowTemplate (workflow/controller, setWorkflowDefaults and JoinWorkflowSpec of v3.7): a minute there would win.
 */
export const handedOver: Mapping = Object.fromEntries(members.map((member) => [member, handOverSeconds]));

/** What the manifest asks for; undefined where it asks for nothing. Not checked. */
export function ownStrategy(spec: Mapping): unknown {
  const strategy = spec['ttlStrategy'] ?? {};
  if (!isMapping(strategy)) return strategy;
  const all = { secondsAfterCompletion: spec['ttlSecondsAfterFinished'], ...withoutNulls(strategy) };
  const own = withoutNulls(all);
  return Object.keys(own).length === 0 ? undefined : own;
}

/** A null is no value to Kubernetes. */
function withoutNulls(mapping: Mapping): Mapping {
  return Object.fromEntries(Object.entries(mapping).filter(([, value]) => value !== null && value !== undefined));
}

export function isStrategy(value: unknown): value is Strategy {
  const known: readonly string[] = members;
  return (
    isMapping(value) &&
    Object.keys(value).length > 0 &&
    Object.entries(value).every(([member, seconds]) => known.includes(member) && isSeconds(seconds))
  );
}

/** An int32; Argo takes one below zero for at once. */
function isSeconds(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 31;
}

export function isHandedOver(strategy: unknown): boolean {
  return isStrategy(strategy) && members.every((member) => strategy[member] === handOverSeconds);
}

/** The merge patch of spec.ttlStrategy: the manifest's own, never too short, else none. */
export function givenBack(own: unknown): Mapping | null {
  if (!isStrategy(own)) return null;
  return Object.fromEntries(
    members.map((member) => {
      const seconds = own[member];
      return [member, seconds === undefined ? null : Math.max(seconds, leastSeconds)];
    }),
  );
}
