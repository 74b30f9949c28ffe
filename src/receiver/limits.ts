// The limits of the public port: each with its unit and its reason. Enforced before anything is parsed.

export interface Limits {
  readonly bodyBytes: number;
  readonly bytesInFlight: number;
  readonly headerBytes: number;
  readonly headersMs: number;
  readonly requestMs: number;
  readonly answerMs: number;
  readonly lingerMs: number;
  readonly keepAliveMs: number;
  readonly connections: number;
  readonly checkMs: number;
  readonly largeBodyBytes: number;
  readonly readerIdleMs: number;
  readonly recordings: number;
}

const MiB = 1024 * 1024;

export const defaultLimits: Limits = {
  /** GitHub delivers no payload over 25 MB. */
  bodyBytes: 25 * MiB,
  /** Bodies held at once: two of the largest and some small ones. A pod of 256 MiB stays well below its limit. */
  bytesInFlight: 64 * MiB,
  /** Forges send 1 KiB, proxies in front of us add some. */
  headerBytes: 16 * 1024,
  /** Headers come in one packet; who takes longer holds a connection on purpose. */
  headersMs: 5_000,
  /** The whole request: forges wait 10 s for the answer. */
  requestMs: 9_000,
  /** From the headers to the answer: half a second for the answer to go out before requestMs ends the connection. */
  answerMs: 8_500,
  /** How long a refused request is still read and thrown away, so that the client gets to see the answer. */
  lingerMs: 1_000,
  /** Longer than load balancers keep idle connections (nginx 60 s): they, not we, must be the ones to close. */
  keepAliveMs: 75_000,
  /** Each costs some 50 KiB with its headers; forges and load balancers use a few dozen. */
  connections: 1_000,
  /** How often Node looks for connections over headersMs and requestMs; its default of 30 s would let them live on. */
  checkMs: 1_000,
  /** Read here in some milliseconds; larger ones in a thread of their own, where they hold up nothing. */
  largeBodyBytes: 256 * 1024,
  /** Such a thread takes up to 30 MiB, and a fifth of a second to be there again. */
  readerIdleMs: 30_000,
  /** Pushes that are recorded at the same time; more would only wait in the API server. The rest waits here, in the order of coming. */
  recordings: 64,
};
