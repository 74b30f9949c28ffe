// A whole list from its pages. Called by the client; the request itself is handed in.
import { ApiError, type KubeList, type StoredObject } from './kube.ts';
import type { Query } from './path.ts';

/** What kubectl and client-go ask for at a time. */
const PAGE_SIZE = 500;
/** How often the list starts over in pages, before it is asked for in one piece, which cannot expire. */
const MAX_STARTS = 3;

interface Page<T> {
  readonly apiVersion?: string;
  /** Such as JobList. */
  readonly kind?: string;
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items?: readonly T[] | null;
}

/** Without resourceVersion, so the answer is what etcd's majority says now. */
export async function listPages<T extends StoredObject>(
  transform: (object: T) => T,
  fetch: (query: Query) => Promise<Page<T>>,
): Promise<KubeList<T>> {
  for (let start = 1; start <= MAX_STARTS; start++) {
    try {
      return await listOnce(transform, (token) => fetch({ limit: PAGE_SIZE, continue: token }));
    } catch (error) {
      if (!isExpired(error)) throw error;
    }
  }
  return listOnce(transform, () => fetch({}));
}

async function listOnce<T extends StoredObject>(
  transform: (object: T) => T,
  fetch: (token: string | undefined) => Promise<Page<T>>,
): Promise<KubeList<T>> {
  const items: T[] = [];
  let token: string | undefined;
  for (;;) {
    const page = await fetch(token);
    for (const item of page.items ?? []) items.push(transform(withKind(item, page)));
    token = page.metadata.continue || undefined;
    if (token === undefined) return { resourceVersion: page.metadata.resourceVersion, items };
  }
}

/** Kubernetes leaves apiVersion and kind out of a list's items; everywhere else an object has them. */
function withKind<T extends StoredObject>(item: T, page: Page<T>): T {
  if (item.kind !== undefined || page.kind === undefined) return item;
  return { apiVersion: page.apiVersion, kind: page.kind.replace(/List$/, ''), ...item };
}

/** The snapshot a page's token (or a watch's resourceVersion) speaks of is gone: etcd was compacted. */
export function isExpired(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 410 || error.reason === 'Expired' || error.reason === 'Gone');
}
