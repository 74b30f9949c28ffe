// What the API server can do for us, as one small interface. Knows nothing of GitHooks.

/** A type of object: where it lives in the API. */
export interface ResourceType {
  /** '' for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
}

/** The least a stored object has. Callers say which shape they expect; nothing is dropped on the way. */
export interface StoredObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly name?: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
}

export interface ListOptions {
  /** One namespace; undefined is all. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly signal?: AbortSignal;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
}

export interface KubeList<T> {
  readonly resourceVersion: string;
  readonly items: readonly T[];
}

/**
 * Every method throws ApiError for an answer that is not 2xx, ConnectionError where there was none, an Error when the
 * time was up, and the signal's reason when it was aborted. A key whose namespace is '' is of a type without namespaces.
 */
export interface Kube {
  get<T extends StoredObject>(
    type: ResourceType,
    key: { namespace: string; name: string },
    options?: CallOptions,
  ): Promise<T>;
  /** All of them: follows the pages, and starts over when a page's token has expired. */
  list<T extends StoredObject>(type: ResourceType, options?: ListOptions): Promise<KubeList<T>>;
  /** Always with fieldValidation=Strict: an unknown field is an error. */
  create<T extends StoredObject>(type: ResourceType, object: T, options?: CallOptions): Promise<T>;
  /** Replaces the object, or with `subresource` that part of it. A resourceVersion in it makes it compare-and-swap: 409 on a conflict. */
  replace<T extends StoredObject>(
    type: ResourceType,
    object: T,
    options?: CallOptions & { readonly subresource?: 'status' },
  ): Promise<T>;
  /** JSON merge patch. */
  patch<T extends StoredObject>(
    type: ResourceType,
    key: { namespace: string; name: string },
    patch: unknown,
    options?: CallOptions & { readonly subresource?: 'status' },
  ): Promise<T>;
  /** With what it owns, in the background. `uid`: only if it is still that object, else 409. */
  delete(
    type: ResourceType,
    key: { namespace: string; name: string },
    options?: CallOptions & { readonly uid?: string },
  ): Promise<void>;
  /** The same API server, acting as a ServiceAccount (impersonation). */
  as(account: { readonly namespace: string; readonly name: string }): Kube;
}

/** An answer of the API server that is not 2xx. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** HTTP status. */
  readonly status: number;
  /** The Status object's reason, such as NotFound, AlreadyExists, Conflict, Expired; '' where it sent none. */
  readonly reason: string;
  /** From Retry-After; undefined where it sent none. */
  readonly retryAfterMs: number | undefined;

  constructor(answer: { status: number; reason: string; message: string; retryAfterMs?: number | undefined }) {
    super(answer.message);
    this.status = answer.status;
    this.reason = answer.reason;
    this.retryAfterMs = answer.retryAfterMs;
  }
}

export function isNotFound(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404;
}

/** The object, or undefined where there is none: `ifFound(kube.get(…))`. Throws everything else. */
export async function ifFound<T>(object: Promise<T>): Promise<T | undefined> {
  try {
    return await object;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

export function isAlreadyExists(error: unknown): boolean {
  return error instanceof ApiError && error.reason === 'AlreadyExists';
}

export function isConflict(error: unknown): boolean {
  return error instanceof ApiError && error.status === 409 && error.reason === 'Conflict';
}
