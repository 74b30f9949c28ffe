// The API server for whoever may change things only while it holds a lease. Used by the controller: a process that was
// stopped for a minute and goes on does not know that another has taken over, but its clock does.
import type { Kube } from './kube.ts';

/** Nothing was sent: somebody else may be at this work by now. */
export class NotLeading extends Error {
  override readonly name = 'NotLeading';

  constructor() {
    super('this process does not hold the lease any more');
  }
}

/** The same API server; what would change something in it throws NotLeading unless `leads` says at that moment that we do. */
export function fenced(kube: Kube, leads: () => boolean): Kube {
  const guarded = <T>(change: () => Promise<T>): Promise<T> => (leads() ? change() : Promise.reject(new NotLeading()));
  return {
    get: (type, key, options) => kube.get(type, key, options),
    list: (type, options) => kube.list(type, options),
    create: (type, object, options) => guarded(() => kube.create(type, object, options)),
    replace: (type, object, options) => guarded(() => kube.replace(type, object, options)),
    patch: (type, key, patch, options) => guarded(() => kube.patch(type, key, patch, options)),
    delete: (type, key, options) => guarded(() => kube.delete(type, key, options)),
    as: (account) => fenced(kube.as(account), leads),
  };
}
