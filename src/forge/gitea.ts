// Gitea and Forgejo: their signatures, their delivery ids, and their push event, which has GitHub's shape.
// Facts are from Gitea 1.26: services/webhook/deliver.go (headers, signature), services/repository/push.go (which events).
import { deliveryId } from './delivery-id.ts';
import { parsePush, unknownEvent } from './event.ts';
import { type Delivery, type Forge, MalformedDelivery, type Received } from './forge.ts';
import { isForm, readPayload } from './payload.ts';
import { hasSignatureShape, hasValidSignature } from './signature.ts';

export const gitea: Forge = {
  name: 'gitea',

  /** Any one of its signatures will do. A webhook without a secret has these headers too, with nothing in them. */
  verify: (delivery, secret) => {
    const headers = signatures
      .map(({ name, prefix }) => ({ header: delivery.headers[name], prefix }))
      .filter(({ header, prefix }) => hasSignatureShape(header, prefix));
    if (headers.length === 0) return false;
    const body = signedBytes(delivery);
    return body !== undefined && headers.some((one) => hasValidSignature({ body, ...one }, secret));
  },

  /** It does not say which webhook sent a delivery; those of one push have the same payload, and so has a replay. */
  identify: (delivery) => {
    const { headers, body } = delivery;
    const id = headers['x-gitea-delivery'] ?? headers['x-forgejo-delivery'];
    return deliveryId({ id, hookId: undefined }, signedBytes(delivery) ?? body);
  },

  parse,
};

const signatures = [
  { name: 'x-gitea-signature', prefix: '' },
  { name: 'x-forgejo-signature', prefix: '' },
  { name: 'x-hub-signature-256', prefix: 'sha256=' },
] as const;

const formField = Buffer.from('payload=');

/**
 * What the signature is over: always the JSON, also where it is sent as the payload field of a form. Undefined for a form
 * that is not exactly this field. Done before anything is verified, so it takes no more than the body's length.
 */
function signedBytes({ headers, body }: Delivery): Uint8Array | undefined {
  if (!isForm(headers)) return body;
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (!bytes.subarray(0, formField.length).equals(formField) || bytes.includes('&')) return undefined;
  try {
    const written = bytes.subarray(formField.length).toString('latin1');
    return Buffer.from(decodeURIComponent(written.replaceAll('+', ' ')));
  } catch {
    return undefined;
  }
}

function parse(delivery: Delivery): Received {
  const event = delivery.headers['x-gitea-event'] ?? delivery.headers['x-forgejo-event'];
  if (event === undefined) throw new MalformedDelivery('the header X-Gitea-Event is missing');
  if (event === 'push') return parsePush(readPayload(delivery), gitea.name);
  // Of a deleted branch this is the only event; of a deleted tag there is a push event too.
  if (event === 'delete') {
    return { kind: 'ignored', reason: 'RefDeleted', message: 'a branch or tag was deleted: there is nothing to run' };
  }
  return unknownEvent(event);
}
