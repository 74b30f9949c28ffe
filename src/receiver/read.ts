// What a delivery is and says: signature, identity, content. Pure. Called by reader.ts, here or in a thread of its own.
import type { DeliveryId } from '../api/push.ts';
import { type Delivery, type Forge, MalformedDelivery, type Received } from '../forge/forge.ts';

export type Read =
  /** None of the secrets fits, or there is none. */
  | { readonly kind: 'unverified' }
  | {
      readonly kind: 'verified';
      /** The place of the secret that fits. */
      readonly secret: number;
      readonly identity: DeliveryId;
      readonly says: Received | { readonly kind: 'malformed'; readonly message: string };
    };

/** The signature is checked over the raw bytes before anything is parsed. */
export function readDelivery(forge: Forge, delivery: Delivery, secrets: readonly string[]): Read {
  const secret = secrets.findIndex((one) => forge.verify(delivery, one));
  if (secret === -1) return { kind: 'unverified' };
  return { kind: 'verified', secret, identity: forge.identify(delivery), says: parse(forge, delivery) };
}

function parse(forge: Forge, delivery: Delivery): Received | { readonly kind: 'malformed'; readonly message: string } {
  try {
    return forge.parse(delivery);
  } catch (error) {
    if (error instanceof MalformedDelivery) return { kind: 'malformed', message: error.message };
    throw error;
  }
}
