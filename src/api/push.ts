// What every forge's delivery is translated into. No I/O.

/** One push to one ref, as a forge tells of it. All texts are as the forge sent them: untrusted. */
export interface Push {
  /** The forge's name, such as github. */
  readonly forge: string;
  /** Every URL by which the forge says the repository can be cloned. */
  readonly cloneUrls: readonly string[];
  /** The full ref, such as refs/heads/main. */
  readonly ref: string;
  /** Object id of the ref before the push; zeros for a new ref; undefined where the forge does not say. */
  readonly before: string | undefined;
  /** Object id of the ref after the push: of an annotated tag the tag object. Never zeros. */
  readonly after: string;
  /** The commit `after` stands for, peeled. */
  readonly commit: string;
  /** Author of the head commit; empty where the forge names none. */
  readonly author: string;
  /** First line of the head commit's message; may be empty. */
  readonly message: string;
  /** When the push happened, RFC 3339, from what the forge signed; undefined where it signs no time. */
  readonly pushTime: string | undefined;
}

/** How a delivery is recognised when it comes again. */
export interface DeliveryId {
  /** The forge's id; the digest where it sends none. */
  readonly id: string;
  /** The webhook that sent it, where the forge says so. */
  readonly hookId: string | undefined;
  /** SHA-256 in hex of the bytes that the forge signs: the raw body, of a form of Gitea the JSON in it. */
  readonly digest: string;
}
