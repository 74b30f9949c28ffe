// Reads a request's body within its limits. Called by server.ts; what is read is bytes, whatever they mean.
import type { IncomingMessage } from 'node:http';

/** Bytes that may be held at the same time, by all requests together. */
export class ByteBudget {
  #left: number;
  readonly #onChange: (bytes: number) => void;

  /** `onChange` is told of bytes taken (positive) and given back (negative). */
  constructor(bytes: number, onChange: (bytes: number) => void) {
    this.#left = bytes;
    this.#onChange = onChange;
  }

  /** False, and nothing is taken, when there are fewer left. */
  take(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    this.#onChange(bytes);
    return true;
  }

  give(bytes: number): void {
    this.#left += bytes;
    this.#onChange(-bytes);
  }
}

export type Body =
  /** Call release when the bytes are no longer used. */
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array; release(): void }
  | { readonly kind: 'tooLarge' }
  /** The budget of all requests together is used up. */
  | { readonly kind: 'busy' }
  | { readonly kind: 'timeout' }
  /** The client went away: nobody is there to be answered. */
  | { readonly kind: 'aborted' };

export interface BodyLimits {
  readonly maxBytes: number;
  readonly budget: ByteBudget;
  readonly signal: AbortSignal;
}

/**
 * The whole body, or why not. Bytes are counted as they come, not as they are announced: an announcement costs nothing.
 * Where it fails nothing is held, and the rest is neither read nor thrown away. Never throws.
 */
export function readBody(request: IncomingMessage, { maxBytes, budget, signal }: BodyLimits): Promise<Body> {
  return new Promise((resolve) => {
    let chunks: Buffer[] = [];
    let held = 0;

    const finish = (body: Body): void => {
      request.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose);
      signal.removeEventListener('abort', onTimeout);
      if (body.kind !== 'bytes') {
        budget.give(held);
        request.pause();
      }
      chunks = [];
      resolve(body);
    };
    const onData = (chunk: Buffer): void => {
      if (held + chunk.length > maxBytes) finish({ kind: 'tooLarge' });
      else if (!budget.take(chunk.length)) finish({ kind: 'busy' });
      else {
        held += chunk.length;
        chunks.push(chunk);
      }
    };
    const onEnd = (): void => {
      finish({ kind: 'bytes', bytes: Buffer.concat(chunks, held), release: () => budget.give(held) });
    };
    const onClose = (): void => finish({ kind: 'aborted' });
    const onTimeout = (): void => finish({ kind: 'timeout' });

    request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose);
    signal.addEventListener('abort', onTimeout, { once: true });
  });
}
