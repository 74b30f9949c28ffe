// Which failed calls may simply be made again, and when. Pure; the client asks after each failure.
import { ApiError } from './kube.ts';
import { ConnectionError } from './transport.ts';

/** Calls in all for one method of the client. The caller's own back-off takes over after that. */
const MAX_ATTEMPTS = 4;
/** The least wait, doubled each time: about what it takes a load balancer to find another server. */
const BASE_DELAY_MS = 250;
/** Spreads out those that were sent away together. */
const JITTER = 0.25;

export interface FailedAttempt {
  readonly error: unknown;
  /** From 1. */
  readonly attempt: number;
  /** Whether doing it twice does no harm. */
  readonly idempotent: boolean;
  /** Whether what the server or the network says against it is worth another attempt, where that does no harm. */
  readonly patient: boolean;
  /** From 0 to 1. */
  readonly random: number;
}

/** Milliseconds to wait before the next attempt; undefined: the caller gets the error. */
export function retryDelay(failed: FailedAttempt): number | undefined {
  if (failed.attempt >= MAX_ATTEMPTS || !mayRepeat(failed)) return undefined;
  const { error } = failed;
  const asked = error instanceof ApiError ? error.retryAfterMs : undefined;
  return Math.max(asked ?? 0, BASE_DELAY_MS * 2 ** (failed.attempt - 1)) * (1 + JITTER * failed.random);
}

/** 429 and a refused connection mean that nothing was done. After a 503 or a broken connection one cannot know. */
function mayRepeat({ error, idempotent, patient }: FailedAttempt): boolean {
  if (patient && idempotent && (error instanceof ConnectionError || isServersFault(error))) return true;
  if (error instanceof ConnectionError) return error.code === 'ECONNREFUSED' || (idempotent && error.stale);
  if (!(error instanceof ApiError)) return false;
  return error.status === 429 || (idempotent && error.status === 503 && error.retryAfterMs !== undefined);
}

function isServersFault(error: unknown): boolean {
  return error instanceof ApiError && error.status >= 500;
}
