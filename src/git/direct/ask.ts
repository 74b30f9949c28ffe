// Asks a git server over http(s) for objects by their ids: one request, no process, nothing on disk. Called by direct.ts.

import type { createAgents } from '../../http-agents.ts';
import { proxySecrets } from '../../proxy.ts';
import { retryAfterMs, type ServerAnswer } from '../answer.ts';
import { authorization, secretForms } from '../environment.ts';
import { explainFailure } from '../failure.ts';
import type { Credentials } from '../git.ts';
import { hasCredentials, type Remote } from '../validate.ts';
import { exchange, type Reply } from './exchange.ts';
import { type GitObject, ObjectTooLarge, readPack } from './pack.ts';
import { packOf, type Question, questionOf } from './pkt-line.ts';
import { Unusable } from './unusable.ts';

export interface Asking {
  readonly wanted: Remote;
  readonly credentials: Credentials;
  readonly agentFor: ReturnType<typeof createAgents>;
  /** kube-git's own: its proxies' passwords are kept out of messages. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly userAgent: string;
  readonly silentSeconds: number;
  readonly signal: AbortSignal;
}

const service = 'git-upload-pack';
/** Of an answer beside its objects, and of objects that do not compress. */
const wrappingBytes = 64 * 1024;

/**
 * By their ids, with what else came. Throws what the server's status means (TerminalError, WaitingError), ObjectTooLarge
 * where an object has more than `maxBytes`, Unusable for every other answer without objects.
 */
export async function ask(
  question: Question,
  maxBytes: number,
  asking: Asking,
): Promise<ReadonlyMap<string, GitObject>> {
  const { wanted, agentFor, userAgent, credentials } = asking;
  const url = new URL(`${wanted.url}/${service}`);
  const reply = await exchange({
    ...asking,
    url,
    agent: agentFor(url).agent,
    headers: {
      ...(hasCredentials(credentials) && { authorization: authorization(credentials) }),
      'content-type': `application/x-${service}-request`,
      accept: `application/x-${service}-result`,
      'git-protocol': 'version=2',
      'user-agent': userAgent,
    },
    body: questionOf(question),
    maxBytes: maxBytes + maxBytes / 8 + wrappingBytes,
  });
  if (reply.status >= 300) throw refusal(reply, asking);
  if (reply.headers['content-type'] !== `application/x-${service}-result`)
    throw new Unusable('no answer of a git server');
  if (reply.cut) throw new ObjectTooLarge('an answer without end');
  return readPack(packOf(reply.body), { format: question.format, maxBytes });
}

function refusal({ status, headers }: Reply, { wanted, credentials, environment }: Asking): Error {
  const { location } = headers;
  const contentType = headers['content-type']?.split(';')[0];
  const wait = retryAfterMs(headers['retry-after'], Date.now());
  const answer: ServerAnswer = {
    status,
    ...(location !== undefined && { location }),
    ...(contentType !== undefined && { contentType }),
    ...(wait !== undefined && { retryAfterMs: wait }),
  };
  return explainFailure({
    ...{ wanted, words: '', answer, ssh: undefined },
    loggedIn: hasCredentials(credentials),
    unusedKey: credentials.sshPrivateKey !== undefined,
    secrets: [...secretForms(credentials), ...proxySecrets(environment)],
  });
}
