// Reading objects that other programs wrote: any part may be missing or of another type. A reader never throws.

export type Mapping = Readonly<Record<string, unknown>>;

export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What stands at the path; undefined as soon as a part of it is missing. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  let here = value;
  for (const field of path) here = isMapping(here) && Object.hasOwn(here, field) ? here[field] : undefined;
  return here;
}

/** The mappings in the list at the path; none where there is no list. */
export function mappingsAt(value: unknown, ...path: readonly string[]): readonly Mapping[] {
  const list = at(value, ...path);
  return Array.isArray(list) ? list.filter(isMapping) : [];
}

/** The text at the path; empty where there is none. */
export function textAt(value: unknown, ...path: readonly string[]): string {
  const text = at(value, ...path);
  return typeof text === 'string' ? text : '';
}

/** The count at the path; 0 where there is none. */
export function countAt(value: unknown, ...path: readonly string[]): number {
  const count = at(value, ...path);
  return typeof count === 'number' && Number.isFinite(count) ? count : 0;
}
