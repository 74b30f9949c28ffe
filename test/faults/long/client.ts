// The forge's side of deliveries: signs them, sends them to any replica, writes down what came back, and sends again what was
// not answered with 2xx, as a person presses "Redeliver"; some that were, too. The same id and the same bytes each time.
import { createHmac } from 'node:crypto';
import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { webhookSecret } from '../../env/kube-git.ts';
import type { Chance } from './chance.ts';
import type { Push } from './pushes.ts';

/** As long as GitHub waits. */
const answerWithinMs = 10_000;
/** When what was not taken is sent again, and what was taken as well. */
const againMs = [500, 15_000] as const;
const duplicateShare = 0.05;

export interface Attempt {
  readonly time: number;
  readonly replica: string;
  readonly ms: number;
  /** The answer's status; 0 where there was none. */
  readonly status: number;
  readonly result: 'ok' | 'fail' | 'unknown';
}

export interface Sending {
  readonly push: Push;
  readonly attempts: Attempt[];
  body: string;
  /** When it was first answered with 2xx, by performance.now(). */
  takenAt: number | undefined;
}

export interface Target {
  readonly name: string;
  readonly url: string;
}

export interface ClientOptions {
  readonly pushes: readonly Push[];
  readonly targets: readonly Target[];
  /** The address that stands in the payloads. */
  readonly gitUrl: string;
  readonly connections: number;
  /** Fresh pushes a second at most. */
  readonly perSecond: number;
  readonly chance: Chance;
}

export class Client {
  readonly sendings: readonly Sending[];
  readonly #options: ClientOptions;
  readonly #agent: Agent;
  readonly #again: Sending[] = [];
  /** Sent again later. */
  #waiting = 0;
  #next = 0;
  taken = 0;
  repeats = 0;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#agent = new Agent({ keepAlive: true, maxSockets: options.connections });
    this.sendings = options.pushes.map((push) => ({ push, attempts: [], body: '', takenAt: undefined }));
  }

  /** Until every push has been answered with 2xx and every repeat has been sent. */
  async run(signal: AbortSignal): Promise<void> {
    const start = performance.now();
    await Promise.all(Array.from({ length: this.#options.connections }, () => this.#work(start, signal)));
    this.#agent.destroy();
  }

  async #work(start: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const sending = this.#again.shift() ?? this.#fresh(start);
      if (sending !== undefined) await this.#send(sending);
      else if (this.#next === this.sendings.length && this.#waiting === 0 && this.taken === this.sendings.length)
        return;
      else await delay(50);
    }
  }

  #fresh(start: number): Sending | undefined {
    if (this.#next > ((performance.now() - start) / 1000) * this.#options.perSecond) return undefined;
    const sending = this.sendings[this.#next];
    if (sending !== undefined) this.#next++;
    return sending;
  }

  async #send(sending: Sending): Promise<void> {
    const { chance, targets } = this.#options;
    if (sending.attempts.length > 0) this.repeats++;
    sending.body ||= payloadOf(sending.push, this.#options.gitUrl);
    const target = chance.pick(targets);
    const began = performance.now();
    const status = await this.#post(target, sending);
    const now = performance.now();
    const result = status === 0 ? 'unknown' : status < 300 ? 'ok' : 'fail';
    sending.attempts.push({ time: Date.now(), replica: target.name, ms: Math.round(now - began), status, result });
    if (result === 'ok' && sending.takenAt === undefined) {
      sending.takenAt = now;
      this.taken++;
    }
    if (sending.takenAt === undefined || chance.next() < duplicateShare) this.#later(sending);
  }

  #later(sending: Sending): void {
    this.#waiting++;
    setTimeout(
      () => {
        this.#waiting--;
        this.#again.push(sending);
      },
      this.#options.chance.between(...againMs),
    );
  }

  /** The answer's status, 0 where there was none in time. */
  #post({ url }: Target, { push, body }: Sending): Promise<number> {
    const signature = createHmac('sha256', webhookSecret).update(body).digest('hex');
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'x-github-event': 'push',
      'x-github-delivery': push.id,
      'x-github-hook-id': '400000001',
      'x-hub-signature-256': `sha256=${signature}`,
    };
    return new Promise((resolve) => {
      const signal = AbortSignal.timeout(answerWithinMs);
      const outgoing = request(`${url}/github`, { method: 'POST', headers, agent: this.#agent, signal });
      outgoing.on('error', () => resolve(0));
      outgoing.on('response', (answer) => {
        answer.resume();
        answer.on('end', () => resolve(answer.statusCode ?? 0));
        answer.on('error', () => resolve(0));
        answer.on('close', () => resolve(0));
      });
      outgoing.end(body);
    });
  }
}

/** The fields of GitHub's push event that kube-git reads. */
function payloadOf({ hook, commit, before }: Push, gitUrl: string): string {
  const author = { name: 'Ada', email: 'ada@example.com' };
  return JSON.stringify({
    ref: `refs/heads/${hook.branch}`,
    ...{ before, after: commit, deleted: false },
    head_commit: { id: commit, message: `${hook.repository} ${hook.branch}`, author },
    repository: { clone_url: `${gitUrl}/${hook.repository}.git`, pushed_at: Math.floor(Date.now() / 1000) },
  });
}
