// Conditions as the Kubernetes API conventions want them. No I/O.

export type ConditionStatus = 'True' | 'False' | 'Unknown';

export interface Condition {
  readonly type: string;
  readonly status: ConditionStatus;
  readonly observedGeneration?: number;
  readonly lastTransitionTime: string;
  readonly reason: string;
  readonly message: string;
}

/** What is to be said; the time of the last change is worked out. */
export type Statement = Omit<Condition, 'lastTransitionTime'>;

/** The conditions with this one in its place; `lastTransitionTime` moves only when the status changes. `now` is RFC 3339. */
export function withCondition(
  conditions: readonly Condition[] | undefined,
  statement: Statement,
  now: string,
): readonly Condition[] {
  const before = conditions?.find((condition) => condition.type === statement.type);
  const lastTransitionTime = before?.status === statement.status ? before.lastTransitionTime : now;
  const others = (conditions ?? []).filter((condition) => condition.type !== statement.type);
  return [...others, { ...statement, lastTransitionTime }];
}
