// A forge hosts repositories and tells of pushes. An adapter is pure: it is tested with headers and bytes alone.
// Called by the receiver; must not know of Kubernetes, GitHooks or the network.
import type { DeliveryId, Push } from '../api/push.ts';

export interface Delivery {
  /** Header names in lower case; a header sent twice is joined by ', '. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The body as received: signatures are over bytes. */
  readonly body: Uint8Array;
}

/** What a delivery says. Ignored is not an error: it is answered with 2xx and the reason. */
export type Received =
  | { readonly kind: 'push'; readonly push: Push }
  | { readonly kind: 'ignored'; readonly reason: IgnoredReason; readonly message: string };

export type IgnoredReason = 'Ping' | 'UnknownEvent' | 'RefDeleted' | 'NotACommit';

export interface Forge {
  /** Its name in runs and metrics; also its path: POST /<name>. */
  readonly name: string;
  /** Whether the signature fits. Constant time; false when the header is missing or malformed or the secret is empty. */
  verify(delivery: Delivery, secret: string): boolean;
  /** How to know the delivery again. Never throws. */
  identify(delivery: Delivery): DeliveryId;
  /** What it says. Called only after verify; throws MalformedDelivery for anything but a payload of this forge. */
  parse(delivery: Delivery): Received;
}

/** A signed body that is not what the forge sends: answered with 400, because a redelivery would not help. */
export class MalformedDelivery extends Error {
  override readonly name = 'MalformedDelivery';
}
