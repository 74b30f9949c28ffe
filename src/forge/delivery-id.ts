// How a delivery is known again. Called by the forges' adapters.
import { createHash } from 'node:crypto';
import type { DeliveryId } from '../api/push.ts';

export interface DeliveryHeaders {
  readonly id: string | undefined;
  readonly hookId: string | undefined;
}

/** From the headers, which are not signed, and the bytes that are. Without an id that can be stored, the digest is the id. */
export function deliveryId({ id, hookId }: DeliveryHeaders, signed: Uint8Array): DeliveryId {
  const digest = createHash('sha256').update(signed).digest('hex');
  return { id: asId(id) ?? digest, hookId: asId(hookId), digest };
}

/** Only what can be stored and shown counts. */
function asId(header: string | undefined): string | undefined {
  return header !== undefined && /^[\x21-\x7e]{1,256}$/.test(header) ? header : undefined;
}
