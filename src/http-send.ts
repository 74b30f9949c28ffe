// One request with Node's own client, and the body of an answer. Used by http.ts, by the fetch of objects over http, and by the
// connection to the API server.
import { type Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';

export interface Outgoing {
  readonly target: URL;
  readonly method: 'GET' | 'POST';
  readonly agent: Agent;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
}

/**
 * The answer, whose body is still to be read. Redirects are not followed. `repeatable`: it is sent once more where the connection
 * was a kept one that the server had closed meanwhile. Rejects with the client's error, on abort an AbortError.
 */
export function send(outgoing: Outgoing, { repeatable = false } = {}): Promise<IncomingMessage> {
  const { target, method, agent, headers, body, signal } = outgoing;
  const request = target.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const sent = request(target, { method, agent, headers, signal });
    sent.on('response', resolve);
    sent.on('error', (error) => {
      if (repeatable && sent.reusedSocket && !signal.aborted) send(outgoing).then(resolve, reject);
      else reject(error);
    });
    sent.end(body);
  });
}

export interface Body {
  readonly bytes: Buffer;
  /** There was more; the connection was ended. */
  readonly cut: boolean;
}

/**
 * The body of an answer, up to `maxBytes`. Rejects where it ends too early. By events, which is less work than to iterate over a
 * stream: each push takes a dozen answers.
 */
export function bodyOf(
  answer: IncomingMessage,
  maxBytes: number,
  onBytes: (count: number) => void = () => {},
): Promise<Body> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const tooEarly = (): void => reject(new Error('the answer ended too early'));
    if (answer.destroyed) return tooEarly();
    answer.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      onBytes(chunk.length);
      if (bytes <= maxBytes) return;
      resolve({ bytes: Buffer.concat(chunks).subarray(0, maxBytes), cut: true });
      answer.destroy();
    });
    answer.on('end', () => resolve({ bytes: Buffer.concat(chunks, bytes), cut: false }));
    answer.on('error', reject);
    answer.on('close', () => {
      if (!answer.readableEnded) tooEarly();
    });
  });
}
