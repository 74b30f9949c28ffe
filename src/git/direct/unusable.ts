// Says that objects are not to be had from a server in this way, whatever the cause: the git program is asked instead, and
// what it says of the cause is what a person reads.

export class Unusable extends Error {
  override readonly name = 'Unusable';
  /** Nothing was learnt of the server: the connection failed. */
  readonly isPassing: boolean;

  constructor(
    message: string,
    { isPassing = false, ...options }: ErrorOptions & { readonly isPassing?: boolean } = {},
  ) {
    super(message, options);
    this.isPassing = isPassing;
  }
}
