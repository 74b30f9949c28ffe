// The shape every Kubernetes object has, as far as kube-git reads it. No I/O.

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

export interface ObjectMeta {
  readonly name?: string;
  readonly generateName?: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly finalizers?: readonly string[];
}

/** Any object of the API server: only its frame is known, the rest is passed on as it came. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly [field: string]: unknown;
}

/** Where an object is: its namespace and its name. */
export interface ObjectKey {
  readonly namespace: string;
  readonly name: string;
}

/** The key of an object that the API server gave us, which therefore has a name. */
export function keyOf(object: { readonly metadata: ObjectMeta }): ObjectKey {
  return { namespace: object.metadata.namespace ?? '', name: object.metadata.name ?? '' };
}

/** Whether an object can have this name (RFC 1123 subdomain, as for most kinds): any other could not even be asked for. */
export function isObjectName(text: string): boolean {
  return text.length <= 253 && /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/.test(text);
}

/** namespace/name, as people write it and as queues and maps hold it. */
export function formatKey(key: ObjectKey): string {
  return `${key.namespace}/${key.name}`;
}

/** The reverse of formatKey; names hold no slash. */
export function parseKey(text: string): ObjectKey {
  const slash = text.indexOf('/');
  return { namespace: text.slice(0, slash), name: text.slice(slash + 1) };
}

/** The object without managedFields: the bookkeeping of server-side apply, which nothing here reads and which is often half of it. */
export function withoutManagers<T extends { readonly metadata: object }>(object: T): T {
  return { ...object, metadata: { ...object.metadata, managedFields: undefined } };
}
