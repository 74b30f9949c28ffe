// Get, list, create, replace, patch and delete as one user of the API server. The client is one; acting as a
// ServiceAccount gives another on the same connections.
import { parseObject } from './answer.ts';
import type { Call, Connection } from './connection.ts';
import type { CallOptions, Kube, KubeList, ListOptions, ResourceType, StoredObject } from './kube.ts';
import { listPages } from './list.ts';
import { collectionPath, objectPath, withQuery } from './path.ts';

type Key = { readonly namespace: string; readonly name: string };
type Subresource = { readonly subresource?: 'status' };

/** An unknown or doubled field is an error, not a warning. */
const STRICT = { fieldValidation: 'Strict' };

export interface ObjectListOptions<T> extends ListOptions {
  /** Done to each object as its page arrives, so that a long list never is in memory as it came. */
  readonly transform?: ((object: T) => T) | undefined;
}

export class ObjectClient implements Kube {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async get<T extends StoredObject>(type: ResourceType, key: Key, options?: CallOptions): Promise<T> {
    return this.#object({ verb: 'get', method: 'GET', path: objectPath(type, key), signal: options?.signal });
  }

  async list<T extends StoredObject>(type: ResourceType, options: ObjectListOptions<T> = {}): Promise<KubeList<T>> {
    const { namespace, labelSelector, fieldSelector, signal, transform = (object) => object } = options;
    const path = collectionPath(type, namespace);
    return listPages(transform, (page) =>
      this.#object({
        verb: 'list',
        method: 'GET',
        path: withQuery(path, { labelSelector, fieldSelector, ...page }),
        patient: page['continue'] !== undefined,
        signal,
      }),
    );
  }

  async create<T extends StoredObject>(type: ResourceType, object: T, options?: CallOptions): Promise<T> {
    const path = withQuery(collectionPath(type, object.metadata.namespace), STRICT);
    return this.#object({ verb: 'create', method: 'POST', path, body: object, signal: options?.signal });
  }

  async replace<T extends StoredObject>(
    type: ResourceType,
    object: T,
    options: CallOptions & Subresource = {},
  ): Promise<T> {
    const path = withQuery(objectPath(type, object.metadata, options.subresource), STRICT);
    return this.#object({ verb: 'update', method: 'PUT', path, body: object, signal: options.signal });
  }

  async patch<T extends StoredObject>(
    type: ResourceType,
    key: Key,
    patch: unknown,
    options: CallOptions & Subresource = {},
  ): Promise<T> {
    return this.#object({
      verb: 'patch',
      method: 'PATCH',
      path: withQuery(objectPath(type, key, options.subresource), STRICT),
      contentType: 'application/merge-patch+json',
      body: patch,
      signal: options.signal,
    });
  }

  async delete(type: ResourceType, key: Key, options: CallOptions & { readonly uid?: string } = {}): Promise<void> {
    const { uid, signal } = options;
    // Said outright, because the default for a Job is to leave its pods behind.
    const body = { propagationPolicy: 'Background', ...(uid === undefined ? {} : { preconditions: { uid } }) };
    await this.#connection.call({ verb: 'delete', method: 'DELETE', path: objectPath(type, key), body, signal });
  }

  as(account: Key): Kube {
    return new ObjectClient(this.#connection.with(impersonation(account)));
  }

  async #object<T extends object>(call: Call): Promise<T> {
    return parseObject<T>(await this.#connection.call(call), `${call.method} ${call.path.replace(/\?.*$/, '')}`);
  }
}

/**
 * The user only. The API server adds a ServiceAccount's groups itself where the request names none; naming them needs the
 * right to impersonate groups, which no Role of a namespace can give.
 * https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation
 */
function impersonation({ namespace, name }: Key): Record<string, string> {
  if (!/^[a-z0-9][a-z0-9-]*$/.test(namespace) || !/^[a-z0-9][a-z0-9.-]*$/.test(name)) {
    throw new Error(`not the name of a ServiceAccount: "${namespace}/${name}"`);
  }
  return { 'Impersonate-User': `system:serviceaccount:${namespace}:${name}` };
}
