// Asks a git server over http(s) for objects by their ids: one request each time, no process, nothing on disk. Called by direct.ts.

import type { createAgents } from '../../http-agents.ts';
import { proxySecrets } from '../../proxy.ts';
import { retryAfterMs } from '../answer.ts';
import { authorization, secretForms } from '../environment.ts';
import { explainFailure } from '../failure.ts';
import type { Credentials } from '../git.ts';
import { hasCredentials, type Remote } from '../validate.ts';
import type { Read } from '../way.ts';
import { type Asker, answerBytes } from './asker.ts';
import { exchange, type Reply } from './exchange.ts';
import { type GitObject, ObjectTooLarge, readPack } from './pack.ts';
import { packOf, type Question, questionOf } from './pkt-line.ts';
import { Unusable } from './unusable.ts';

export interface HttpOptions {
  readonly agentFor: ReturnType<typeof createAgents>;
  /** Such as kube-git/2.0.0. */
  readonly userAgent: string;
}

interface Asking extends HttpOptions {
  readonly wanted: Remote;
  readonly credentials: Credentials;
  /** kube-git's own: its proxies' passwords are kept out of messages. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly silentSeconds: number;
  readonly signal: AbortSignal;
}

const service = 'git-upload-pack';

/** An asker whose connections are kept by `agentFor`. Throws WaitingError where the server asks for patience. */
export function overHttp({ wanted, credentials, source, signal }: Read, options: HttpOptions): Asker {
  const { silentSeconds } = source.limits;
  const asking = { ...options, wanted, credentials, silentSeconds, signal, environment: source.environment };
  return { ask: (question, maxBytes) => ask(question, maxBytes, asking), close: async () => {} };
}

async function ask(question: Question, maxBytes: number, asking: Asking): Promise<ReadonlyMap<string, GitObject>> {
  const { wanted, agentFor, userAgent, credentials } = asking;
  const url = new URL(`${wanted.url.replace(/\/$/, '')}/${service}`);
  const reply = await exchange({
    target: url,
    agent: agentFor(url).agent,
    headers: {
      ...(hasCredentials(credentials) && { authorization: authorization(credentials) }),
      'content-type': `application/x-${service}-request`,
      accept: `application/x-${service}-result`,
      'git-protocol': 'version=2',
      'user-agent': userAgent,
    },
    body: questionOf(question),
    maxBytes: answerBytes(maxBytes),
    silentSeconds: asking.silentSeconds,
    signal: asking.signal,
  });
  if (isToWait(reply)) throw refusal(reply, asking);
  // Whatever else it says, git asks again in its own way: then it is sure, and said in one way.
  if (reply.status !== 200) throw new Unusable(`status ${reply.status}`, { isPassing: reply.status >= 500 });
  if (typeOf(reply) !== `application/x-${service}-result`) throw new Unusable('no answer of a git server');
  if (reply.cut) throw new ObjectTooLarge('an answer without end');
  return readPack(packOf(reply.body), { format: question.format, maxBytes });
}

/** To ask once more, be it with git, is what such a server does not want. */
function isToWait({ status, headers }: Reply): boolean {
  return status === 429 || ((status === 403 || status === 503) && headers['retry-after'] !== undefined);
}

function typeOf({ headers }: Reply): string | undefined {
  return headers['content-type']?.split(';')[0]?.trim();
}

function refusal({ status, headers }: Reply, { wanted, credentials, environment }: Asking): Error {
  const wait = retryAfterMs(headers['retry-after'], Date.now());
  return explainFailure({
    ...{ wanted, words: '', answer: { status, ...(wait !== undefined && { retryAfterMs: wait }) }, ssh: undefined },
    loggedIn: hasCredentials(credentials),
    unusedKey: credentials.sshPrivateKey !== undefined,
    secrets: [...secretForms(credentials), ...proxySecrets(environment)],
  });
}
