// The resources of all runs, as the watches show them, found by the run. Also what a deleted one said last:
// a Job that completed and was cleaned up before it was looked at did complete.
import type { GitHookRun } from '../api/githookrun.ts';
import { runLabel } from '../api/keys.ts';
import { formatKey, type KubeObject, keyOf } from '../api/object.ts';
import type { Store } from '../kube/reflector.ts';

/** How many deleted children are remembered: those of a mass deletion. */
const rememberedDeletions = 1000;

export class Children {
  readonly #stores: ReadonlyMap<string, Store<KubeObject>>;
  readonly #deleted = new Map<string, KubeObject>();

  /** `stores` by storeName. */
  constructor(stores: ReadonlyMap<string, Store<KubeObject>>) {
    this.#stores = stores;
  }

  /** The run's resource as the watch last showed it; undefined where it shows none. */
  get(run: GitHookRun): KubeObject | undefined {
    const { apiVersion = '', kind = '', name, uid } = run.status?.resource ?? {};
    const store = this.#stores.get(storeName({ apiVersion, kind }));
    const child = store?.get(formatKey({ namespace: keyOf(run).namespace, name: name ?? '' }));
    return child?.metadata.uid === uid ? child : undefined;
  }

  /** What the run's resource said when it was deleted, if that was seen. */
  lastSeen(run: GitHookRun): KubeObject | undefined {
    return this.#deleted.get(run.status?.resource?.uid ?? '');
  }

  /** Remembers a deleted child. */
  forget(child: KubeObject): void {
    this.#deleted.set(child.metadata.uid ?? '', child);
    const oldest = this.#deleted.keys().next().value;
    if (this.#deleted.size > rememberedDeletions && oldest !== undefined) this.#deleted.delete(oldest);
  }
}

/** The key of the run a child belongs to; undefined where its label says none. */
export function runKeyOf(child: KubeObject): string | undefined {
  const name = child.metadata.labels?.[runLabel];
  return typeof name === 'string' && name !== '' ? formatKey({ namespace: keyOf(child).namespace, name }) : undefined;
}

/** What the store of a kind's objects is found by. */
export function storeName({ apiVersion, kind }: { readonly apiVersion: string; readonly kind: string }): string {
  return `${apiVersion} ${kind}`;
}
