// Waiting in tests: for a condition, with a deadline, instead of sleeping.
import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';

export interface WaitOptions {
  /** What is waited for, to end the sentence "waited in vain for …". */
  readonly what: string;
  /** How long at most. Default 30 s: much longer than anything on loopback takes, even on a machine with much else to do. */
  readonly deadlineMs?: number;
  /** Asked again after so long. */
  readonly everyMs?: number;
  /** Ends the waiting: it then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks until the condition gives something other than undefined or false, and returns that.
 * Past the deadline it rejects and says what was waited for and what the condition last gave or threw.
 * A condition that throws is asked again: the server it asks may not be there yet.
 */
export async function waitFor<T>(
  condition: () => Promise<T | undefined | false> | T | undefined | false,
  { what, deadlineMs = 30_000, everyMs = 25, signal }: WaitOptions,
): Promise<T> {
  const end = performance.now() + deadlineMs;
  const aborted = abortOf(signal);
  try {
    for (;;) {
      signal?.throwIfAborted();
      let last: unknown;
      try {
        const value = await Promise.race([condition(), aborted.promise]);
        if (value !== undefined && value !== false) return value;
        last = value;
      } catch (error) {
        last = error;
      }
      if (performance.now() >= end) throw inVain({ what, deadlineMs, last });
      await delay(everyMs);
    }
  } finally {
    aborted.forget();
  }
}

/** Rejects when the signal is aborted: what a condition asks may never answer then. */
function abortOf(signal: AbortSignal | undefined): { readonly promise: Promise<never>; forget(): void } {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => {});
  const listener = (): void => reject(signal?.reason);
  signal?.addEventListener('abort', listener);
  return { promise, forget: () => signal?.removeEventListener('abort', listener) };
}

function inVain({ what, deadlineMs, last }: { what: string; deadlineMs: number; last: unknown }): Error {
  const state = last instanceof Error ? last.message : inspect(last, { depth: 4 });
  return new Error(`waited ${deadlineMs / 1000} s in vain for ${what}; last: ${state}`, { cause: last });
}
