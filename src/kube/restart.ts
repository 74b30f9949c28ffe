// Why a watch had to be started again. Called by the reflector.
import { isExpired } from './list.ts';
import { InvalidEvent } from './watch.ts';

/** `ended`: the server ended it at once, and not by an error. */
export type Restart = 'expired' | 'silent' | 'invalid' | 'ended' | 'error';

/**
 * A watch that never said anything may be one from a resourceVersion that is still to come (after etcd was restored from
 * a backup): it would stay silent until then. So a list follows. After any other silence the watch goes on where it was.
 */
export class SilentWatch extends Error {
  readonly everHeard: boolean;

  constructor(ms: number, everHeard: boolean) {
    super(`nothing came for ${ms / 1000} s, not even a bookmark`);
    this.everHeard = everHeard;
  }
}

export function reasonOf(failure: unknown): Restart {
  if (failure === undefined) return 'ended';
  if (isExpired(failure)) return 'expired';
  if (failure instanceof InvalidEvent) return 'invalid';
  return failure instanceof SilentWatch ? 'silent' : 'error';
}
