// A forge's log of the deliveries that its webhooks sent. An entry of the notification file leads to it, because that is where
// the forge's address and a token are. Read by the controller, which looks for what never arrived.

/** Of which repository, for whom: an entry may be for some only. */
export interface LogOf {
  /** spec.repository, as written there. */
  readonly repository: string;
  readonly namespace: string;
}

/** One attempt to deliver. */
export interface LoggedAttempt {
  /** Of the attempt. */
  readonly id: string;
  /** Of the delivery: the same for all its attempts. */
  readonly guid: string;
  /** Milliseconds since 1970, by the forge's clock. */
  readonly deliveredMs: number;
  readonly event: string;
  /** HTTP status of the answer, or what the forge writes where there was none. */
  readonly statusCode: number;
}

/** What was sent, as the log has it: the payload parsed, the headers in lower case. */
export interface LoggedDelivery {
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: unknown;
}

/**
 * Every method throws TerminalError (NotAllowed, WrongHost, InvalidRepository, NotificationUnauthorized,
 * NotificationNotFound, NotificationRefused) where a person must change something, with what; WaitingError
 * (RateLimited, with retryAfterMs, SinkUnreachable, SinkUnavailable) where it may work later.
 */
export interface DeliveryLog {
  /** Throws where the entry is not for this GitHook. Asks nobody. */
  check(of: LogOf): void;
  /** The ids of the active webhooks of the repository that send pushes to a path that ends in `path`. */
  hooks(of: LogOf, path: string, signal: AbortSignal): Promise<readonly string[]>;
  /** The attempts of a webhook since then, newest first; nothing older than the forge keeps. */
  attempts(
    of: LogOf,
    hook: { readonly id: string; readonly sinceMs: number },
    signal: AbortSignal,
  ): Promise<readonly LoggedAttempt[]>;
  /** What an attempt sent. */
  read(
    of: LogOf,
    attempt: { readonly hookId: string; readonly id: string },
    signal: AbortSignal,
  ): Promise<LoggedDelivery>;
}
