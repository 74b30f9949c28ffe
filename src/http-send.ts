// One request with Node's own client, until the answer's headers are here. Used by http.ts and by the fetch of objects over http.
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
