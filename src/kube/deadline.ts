// One wait with an end: the caller's signal and a time limit as a single AbortSignal. Used by the client.
// Not AbortSignal.any: the controller's signal lives as long as the program, and every call would stay attached to it.
import type { Clock } from '../clock.ts';

export interface Deadline {
  readonly signal: AbortSignal;
  /** Milliseconds until the limit. */
  leftMs(): number;
  /** Takes the limit away; the caller's signal still counts. */
  lift(): void;
  /** Detaches from the caller's signal and stops the timer. Must be called at the end. */
  done(): void;
}

/** Why a time limit's timer ends early. One for all: to make an error for each call costs more than the rest of the limit. */
const over = new Error('the time limit is not needed any more');

/** Aborts with the caller's reason when the caller aborts, and with an Error of this message after `ms`. */
export function deadline(
  clock: Clock,
  limit: { readonly ms: number; readonly message: string; readonly signal: AbortSignal | undefined },
): Deadline {
  const { controller, unlink } = linkedTo(limit.signal);
  const timer = new AbortController();
  const end = clock.monotonic() + limit.ms;
  clock.sleep(limit.ms, timer.signal).then(
    () => controller.abort(new Error(limit.message)),
    () => undefined,
  );
  return {
    signal: controller.signal,
    leftMs: () => end - clock.monotonic(),
    lift: () => timer.abort(over),
    done: () => {
      unlink();
      timer.abort(over);
    },
  };
}

/** A controller that is aborted with the signal, until it is unlinked. */
export function linkedTo(signal: AbortSignal | undefined): {
  readonly controller: AbortController;
  unlink(): void;
} {
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(signal?.reason);
  if (signal?.aborted) onAbort();
  signal?.addEventListener('abort', onAbort, { once: true });
  return { controller, unlink: () => signal?.removeEventListener('abort', onAbort) };
}
