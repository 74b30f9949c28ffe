// Sends signed deliveries as GitHub does, and remembers each with its answer. Called by the forge.
// Sources: docs.github.com, "Webhook events and payloads" (headers) and "Handling failed webhook deliveries".
import { createHmac, randomUUID } from 'node:crypto';

/** One attempt to deliver, with what came of it. */
export interface DeliveryRecord {
  /** X-GitHub-Delivery: the same again when it is redelivered, another for each webhook. */
  readonly id: string;
  readonly hookId: string;
  /** X-GitHub-Event: push, ping. */
  readonly event: string;
  readonly redelivery: boolean;
  readonly request: { readonly url: string; readonly headers: Readonly<Record<string, string>>; readonly body: string };
  /** undefined when there was no answer: `error` says why. */
  readonly answer:
    | { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string }
    | undefined;
  readonly error: string | undefined;
  /** When it was sent, in milliseconds since 1970. */
  readonly sentAt: number;
  readonly durationMs: number;
}

export interface Webhook {
  readonly id: string;
  readonly url: string;
  readonly secret: string;
  readonly active: boolean;
  readonly events: readonly string[];
}

/** GitHub gives up after ten seconds and never tries again by itself. */
const answerWithinMs = 10_000;

export class Webhooks {
  readonly deliveries: DeliveryRecord[] = [];
  readonly hooks: Webhook[] = [];
  readonly #onDelivery: (delivery: DeliveryRecord) => void;
  readonly #now: () => number;

  constructor(options: { readonly now: () => number; readonly onDelivery: (delivery: DeliveryRecord) => void }) {
    this.#now = options.now;
    this.#onDelivery = options.onDelivery;
  }

  add(hook: { readonly url: string; readonly secret: string }): Webhook {
    const added = { id: String(400_000_000 + this.hooks.length), active: true, events: ['push'], ...hook };
    this.hooks.push(added);
    return added;
  }

  /** Tells every webhook; resolves when each has answered or failed. Never rejects. */
  async tellAll(event: string, payload: unknown, signal: AbortSignal): Promise<void> {
    await Promise.all(this.hooks.map((hook) => this.tell(hook, event, payload, signal)));
  }

  async tell(hook: Webhook, event: string, payload: unknown, signal: AbortSignal): Promise<DeliveryRecord> {
    const body = JSON.stringify(payload);
    const id = randomUUID();
    const headers = headersOf(hook, event, id, body);
    const unsent = { id, hookId: hook.id, event, redelivery: false, request: { url: hook.url, headers, body } };
    return this.#send(unsent, signal);
  }

  /** Sends the first delivery with this id once more: same id, same bytes. Throws when there is none. */
  async redeliver(id: string, signal: AbortSignal): Promise<DeliveryRecord> {
    const first = this.deliveries.find((delivery) => delivery.id === id);
    if (first === undefined) throw new Error(`no delivery ${id}`);
    return this.#send({ ...first, redelivery: true }, signal);
  }

  async #send(unsent: Unsent, signal: AbortSignal): Promise<DeliveryRecord> {
    const sentAt = this.#now();
    const started = performance.now();
    const outcome = await post(unsent.request, signal);
    const delivery = { ...unsent, ...outcome, sentAt, durationMs: performance.now() - started };
    this.deliveries.push(delivery);
    this.#onDelivery(delivery);
    return delivery;
  }
}

type Unsent = Pick<DeliveryRecord, 'id' | 'hookId' | 'event' | 'redelivery' | 'request'>;

async function post(
  request: DeliveryRecord['request'],
  signal: AbortSignal,
): Promise<Pick<DeliveryRecord, 'answer' | 'error'>> {
  const { url, headers, body } = request;
  const limited = AbortSignal.any([signal, AbortSignal.timeout(answerWithinMs)]);
  try {
    const answer = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal: limited });
    const text = await answer.text();
    return {
      answer: { status: answer.status, headers: Object.fromEntries(answer.headers), body: text },
      error: undefined,
    };
  } catch (error) {
    return { answer: undefined, error: reasonOf(error) };
  }
}

/** fetch says only "fetch failed"; its cause says why. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}

function headersOf(hook: Webhook, event: string, id: string, body: string): Record<string, string> {
  const hmac = (algorithm: string): string => createHmac(algorithm, hook.secret).update(body).digest('hex');
  const signed: Record<string, string> =
    hook.secret === ''
      ? {} // GitHub sends no signature where the webhook has no secret
      : { 'X-Hub-Signature': `sha1=${hmac('sha1')}`, 'X-Hub-Signature-256': `sha256=${hmac('sha256')}` };
  return {
    Accept: '*/*',
    'Content-Type': 'application/json',
    'User-Agent': 'GitHub-Hookshot/0000000',
    'X-GitHub-Delivery': id,
    'X-GitHub-Event': event,
    'X-GitHub-Hook-ID': hook.id,
    'X-GitHub-Hook-Installation-Target-Type': 'repository',
    ...signed,
  };
}
