// Deliveries of pushes as GitHub sends them: its own example of a push with our ids in it, signed, with the same id and the same
// bytes each time. Called by bench/groups.
import { createHmac } from 'node:crypto';
import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { forgeSamples } from '../../test/env/forge-samples.ts';
import { webhookSecret } from '../../test/env/kube-git.ts';
import type { Push } from '../../test/faults/long/pushes.ts';
import { inTurns } from './in-turns.ts';

/** As long as GitHub waits for an answer. */
const answerWithinMs = 10_000;
/** After how long what was not taken is sent again. */
const againMs = 500;

interface Payload {
  readonly commits: readonly [object];
  readonly head_commit: object;
  readonly repository: object;
}

/** Of 7 KiB. */
const example = JSON.parse(forgeSamples.find(({ forge }) => forge === 'github')?.push ?? '{}') as Payload;

export interface Deliveries {
  /** Sends the push until it is answered with 2xx; returns how often it had to be sent again. */
  send(push: Push): Promise<number>;
  /** Sends them all, as fast as they are taken. */
  sendAll(pushes: readonly Push[]): Promise<Sent>;
  /** Ends what is being sent, too. */
  close(): void;
}

export interface Sent {
  /** When each was answered with 2xx, by performance.now(), in that order. */
  readonly times: readonly number[];
  /** How many were sent again, because the answer was another one or none. */
  readonly again: number;
}

export interface Sending {
  /** Where kube-git listens. */
  readonly url: string;
  /** The address of the repositories. */
  readonly gitUrl: string;
  readonly connections: number;
  readonly signal: AbortSignal;
}

/** Opens no connection yet. */
export function startDeliveries(sending: Sending): Deliveries {
  const { connections } = sending;
  const closed = new AbortController();
  const signal = AbortSignal.any([sending.signal, closed.signal]);
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const send = async (push: Push): Promise<number> => {
    const body = bodyOf(push, sending.gitUrl);
    for (let again = 0; ; again++) {
      signal.throwIfAborted();
      if (await isTaken(push.id, body, sending.url, agent)) return again;
      await delay(againMs, undefined, { signal });
    }
  };
  const sendAll = async (pushes: readonly Push[]): Promise<Sent> => {
    const times: number[] = [];
    let again = 0;
    await inTurns(pushes, connections, async (push) => {
      again += await send(push);
      times.push(performance.now());
    });
    return { times, again };
  };
  const close = (): void => {
    closed.abort(new Error('no more is sent'));
    agent.destroy();
  };
  return { send, sendAll, close };
}

/** Whether it was answered with 2xx. */
function isTaken(id: string, body: string, url: string, agent: Agent): Promise<boolean> {
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'x-github-event': 'push',
    'x-github-delivery': id,
    'x-github-hook-id': '400000001',
    'x-hub-signature-256': `sha256=${createHmac('sha256', webhookSecret).update(body).digest('hex')}`,
  };
  return new Promise((resolve) => {
    const outgoing = request(`${url}/github`, { method: 'POST', headers, agent });
    outgoing.setTimeout(answerWithinMs, () => outgoing.destroy());
    outgoing.on('error', () => resolve(false));
    outgoing.on('response', (answer) => {
      const status = answer.statusCode ?? 0;
      answer.resume();
      answer.on('end', () => resolve(status >= 200 && status < 300));
      answer.on('close', () => resolve(false));
    });
    outgoing.end(body);
  });
}

function bodyOf({ hook, commit, before }: Push, gitUrl: string): string {
  const message = `${hook.repository} ${hook.branch}`;
  const repository = { clone_url: `${gitUrl}/${hook.repository}.git`, pushed_at: Math.floor(Date.now() / 1000) };
  return JSON.stringify({
    ...example,
    ...{ ref: `refs/heads/${hook.branch}`, before, after: commit, deleted: false },
    head_commit: { ...example.head_commit, id: commit, message },
    commits: [{ ...example.commits[0], id: commit, message }],
    repository: { ...example.repository, ...repository },
  });
}
