// The objects of one type as they are known here, and what changed when the API server says something new. Pure;
// a reflector fills it.
import type { StoredObject } from './kube.ts';
import type { WatchEvent } from './watch.ts';

export interface Change<T> {
  readonly kind: 'added' | 'modified' | 'deleted';
  /** namespace/name; only the name for a type without namespaces. */
  readonly key: string;
  /** Of a deleted object: the last state known, which is the very last where the watch told. */
  readonly object: T;
}

export function keyOf(object: StoredObject): string {
  const { namespace, name = '' } = object.metadata;
  return namespace ? `${namespace}/${name}` : name;
}

/** Under which values an object is to be found, besides its key. Always the same for the same object. */
export type IndexBy<T> = (object: T) => readonly string[];

export class ObjectStore<T extends StoredObject> {
  readonly #indexBy: IndexBy<T>;
  #objects = new Map<string, T>();
  #index = new Map<string, Map<string, T>>();
  #listed: readonly T[] | undefined;

  constructor(indexBy: IndexBy<T> = () => []) {
    this.#indexBy = indexBy;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  /** In no order; the same array until something changes. */
  list(): readonly T[] {
    this.#listed ??= [...this.#objects.values()];
    return this.#listed;
  }

  /** Those that are found under this value of the index, in no order. Takes no longer when there are many others. */
  byIndex(value: string): readonly T[] {
    return [...(this.#index.get(value)?.values() ?? [])];
  }

  /** The store now holds exactly these. What happened meanwhile, as far as it shows. */
  replace(objects: readonly T[]): Change<T>[] {
    const before = this.#objects;
    this.#objects = new Map();
    this.#index = new Map();
    for (const object of objects) this.#set(keyOf(object), object);
    this.#listed = undefined;
    const gone = [...before].filter(([key]) => !this.#objects.has(key));
    return [
      ...gone.map(([key, object]): Change<T> => ({ kind: 'deleted', key, object })),
      ...[...this.#objects].flatMap(([key, object]) => difference(key, before.get(key), object)),
    ];
  }

  /** Takes in one event of a watch. */
  apply(event: { readonly type: Exclude<WatchEvent<T>['type'], 'BOOKMARK'>; readonly object: T }): Change<T>[] {
    const { type, object } = event;
    const key = keyOf(object);
    const before = this.#objects.get(key);
    this.#listed = undefined;
    if (before !== undefined) this.#remove(key, before);
    if (type === 'DELETED') {
      return before === undefined ? [] : [{ kind: 'deleted', key, object }];
    }
    this.#set(key, object);
    return difference(key, before, object);
  }

  #set(key: string, object: T): void {
    this.#objects.set(key, object);
    for (const value of this.#indexBy(object)) {
      const found = this.#index.get(value) ?? new Map<string, T>();
      this.#index.set(value, found.set(key, object));
    }
  }

  #remove(key: string, object: T): void {
    this.#objects.delete(key);
    for (const value of this.#indexBy(object)) {
      const found = this.#index.get(value);
      found?.delete(key);
      if (found?.size === 0) this.#index.delete(value);
    }
  }
}

/** Another uid under the same name is another object: the first one was deleted unseen. */
function difference<T extends StoredObject>(key: string, before: T | undefined, now: T): Change<T>[] {
  if (before === undefined) return [{ kind: 'added', key, object: now }];
  if (before.metadata.uid !== now.metadata.uid) {
    return [
      { kind: 'deleted', key, object: before },
      { kind: 'added', key, object: now },
    ];
  }
  if (before.metadata.resourceVersion === now.metadata.resourceVersion) return [];
  return [{ kind: 'modified', key, object: now }];
}
