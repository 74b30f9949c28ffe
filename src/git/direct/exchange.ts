// One POST to a git server over http(s), with limits on size and slowness. Called by over-http.ts; knows nothing of what is sent.
import type { IncomingHttpHeaders } from 'node:http';
import { WaitingError } from '../../errors.ts';
import { bodyOf, type Outgoing, send } from '../../http-send.ts';
import { Unusable } from './unusable.ts';

export interface Exchange extends Omit<Outgoing, 'method'> {
  /** Of the answer's body; what is beyond is cut off. */
  readonly maxBytes: number;
  /** A server that sends next to nothing for so long is left. */
  readonly silentSeconds: number;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly cut: boolean;
}

const leastBytesPerSecond = 1000; // as of the git program: environment.ts

/**
 * Redirects are not followed. Throws the signal's reason, WaitingError RepositoryTooSlow, and Unusable where there is no
 * connection or it breaks.
 */
export async function exchange({ maxBytes, silentSeconds, signal, ...outgoing }: Exchange): Promise<Reply> {
  const controller = new AbortController();
  const abort = (): void => controller.abort(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  let received = 0;
  const slow = new WaitingError(
    'RepositoryTooSlow',
    `${outgoing.target.origin} answers too slowly: less than ${leastBytesPerSecond} bytes a second for ${silentSeconds} s`,
  );
  const timer = setInterval(() => {
    if (received < leastBytesPerSecond * silentSeconds) controller.abort(slow);
    received = 0;
  }, silentSeconds * 1000);
  try {
    const answer = await send({ ...outgoing, method: 'POST', signal: controller.signal }, { repeatable: true });
    const { bytes, cut } = await bodyOf(answer, maxBytes, (count) => {
      received += count;
    });
    return { status: answer.statusCode ?? 0, headers: answer.headers, body: bytes, cut };
  } catch (error) {
    if (controller.signal.aborted) throw controller.signal.reason;
    throw new Unusable('the connection failed', { cause: error, isPassing: true });
  } finally {
    clearInterval(timer);
    signal.removeEventListener('abort', abort);
  }
}
