// What a delivery says that never arrived and was read from the forge's own log. It was read over TLS from the forge itself,
// which stands in the place of a signature. Handed to the controller's recovery by main.
import type { DeliveryId, Push } from '../api/push.ts';
import { type Forge, MalformedDelivery } from '../forge/forge.ts';

/** The payload parsed, the headers in lower case. */
export interface LoggedDelivery {
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: unknown;
}

/** The push and how to know the delivery again; undefined for everything that is not a push that could be run. */
export function parseLogged(
  forge: Forge,
  { headers, payload }: LoggedDelivery,
): { readonly push: Push; readonly delivery: DeliveryId } | undefined {
  // The log has parsed what was sent, form or JSON: its digest is not that of the delivery, its id is.
  const body = Buffer.from(JSON.stringify(payload ?? null));
  const delivery = { headers: { ...headers, 'content-type': 'application/json' }, body };
  try {
    const received = forge.parse(delivery);
    return received.kind === 'push' ? { push: received.push, delivery: forge.identify(delivery) } : undefined;
  } catch (error) {
    if (error instanceof MalformedDelivery) return undefined;
    throw error;
  }
}
