// GitHub (github.com and Enterprise Server): its signature, its delivery ids and its push event.
// https://docs.github.com/en/webhooks/webhook-events-and-payloads#delivery-headers
import { deliveryId } from './delivery-id.ts';
import { parsePush, unknownEvent } from './event.ts';
import { type Delivery, type Forge, MalformedDelivery, type Received } from './forge.ts';
import { readPayload } from './payload.ts';
import { hasValidSignature } from './signature.ts';

export const github: Forge = {
  name: 'github',

  /** Over the raw bytes, form or JSON. X-Hub-Signature, which is SHA-1, is never looked at. */
  verify: ({ headers, body }, secret) =>
    hasValidSignature({ body, header: headers['x-hub-signature-256'], prefix: 'sha256=' }, secret),

  identify: ({ headers, body }) =>
    deliveryId({ id: headers['x-github-delivery'], hookId: headers['x-github-hook-id'] }, body),

  parse,
};

function parse(delivery: Delivery): Received {
  const event = delivery.headers['x-github-event'];
  if (event === undefined) throw new MalformedDelivery('the header X-GitHub-Event is missing');
  if (event === 'push') return parsePush(readPayload(delivery), github.name);
  if (event === 'ping') return { kind: 'ignored', reason: 'Ping', message: 'pong: the secret fits' };
  return unknownEvent(event);
}
