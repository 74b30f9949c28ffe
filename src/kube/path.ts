// The API server's paths. Pure; called by the client.
import type { ResourceType } from './kube.ts';

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** The path of a type's objects: of one namespace, or ('' or undefined) of all, which is also where those without a namespace are. */
export function collectionPath(type: ResourceType, namespace: string | undefined): string {
  const base = type.group === '' ? `/api/${type.version}` : `/apis/${segment(type.group)}/${segment(type.version)}`;
  return `${base}${namespace ? `/namespaces/${segment(namespace)}` : ''}/${segment(type.plural)}`;
}

/** The path of one object, or of its subresource. Throws on an empty name: that path would mean all of them. */
export function objectPath(
  type: ResourceType,
  key: { readonly namespace?: string | undefined; readonly name?: string | undefined },
  subresource?: string,
): string {
  const path = `${collectionPath(type, key.namespace)}/${segment(key.name ?? '')}`;
  return subresource === undefined ? path : `${path}/${segment(subresource)}`;
}

/** A path with its query; values that are undefined or '' are left out. */
export function withQuery(path: string, query: Query): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') search.set(name, String(value));
  }
  return search.size === 0 ? path : `${path}?${search}`;
}

/** Servers and proxies resolve dots, even where they are escaped, so such a name would reach another object. */
function segment(text: string): string {
  if (text === '' || text === '.' || text === '..' || text.includes('/')) {
    throw new Error(`not a name that an object in Kubernetes can have: "${text}"`);
  }
  return encodeURIComponent(text);
}
