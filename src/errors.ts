// Errors are classed by what happens next. Anything else that is thrown is tried again with back-off.

/**
 * Trying again cannot help: a person must change something. Ends a run.
 * `reason` is one word in CamelCase, shown in status; the message says what to change, in the user's words.
 */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
  readonly reason: string;

  constructor(reason: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/**
 * It may work later, and is tried again by itself. Shown on the run meanwhile.
 * `retryAfterMs` is what the other side asked for, where it asked.
 */
export class WaitingError extends Error {
  override readonly name = 'WaitingError';
  readonly reason: string;
  readonly retryAfterMs: number | undefined;

  constructor(reason: string, message: string, options?: ErrorOptions & { readonly retryAfterMs?: number }) {
    super(message, options);
    this.reason = reason;
    this.retryAfterMs = options?.retryAfterMs;
  }
}

/** What an unknown thrown thing says, for a log or a message. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
