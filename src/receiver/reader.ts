// Reads deliveries: small ones at once, large ones in a thread of their own, so that the program goes on meanwhile (a body of
// 25 MiB takes half a second and more). Made by server.ts; the other side of the thread is reader-thread.ts.
import { Worker } from 'node:worker_threads';
import type { Clock } from '../clock.ts';
import type { Delivery, Forge } from '../forge/forge.ts';
import { type Read, readDelivery } from './read.ts';

/** What is sent to the thread, and what comes back. */
export interface Question {
  readonly id: number;
  readonly forge: string;
  readonly headers: Delivery['headers'];
  readonly body: Uint8Array;
  readonly secrets: readonly string[];
}

export interface Reply {
  readonly id: number;
  readonly read?: Read;
  /** Of the thread's own making. */
  readonly error?: string;
}

export interface ReaderOptions {
  /** The file of the program, which in a thread calls serveReading. */
  readonly program: string;
  /** Bodies of at least so many bytes are read in the thread. */
  readonly largeBytes: number;
  /** A thread without work for so long is ended, which gives its memory back. */
  readonly idleMs: number;
  readonly clock: Clock;
}

export class Reader {
  readonly #options: ReaderOptions;
  #thread: Thread | undefined;
  #idling = new AbortController();

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  /**
   * A large delivery's body must not be used any more afterwards. Rejects with the signal's reason when it is aborted before,
   * and with an Error when the thread broke.
   */
  async read(forge: Forge, delivery: Delivery, secrets: readonly string[], signal: AbortSignal): Promise<Read> {
    if (delivery.body.length < this.#options.largeBytes) return readDelivery(forge, delivery, secrets);
    signal.throwIfAborted();
    this.#idling.abort();
    if (this.#thread === undefined || this.#thread.ended) this.#thread = new Thread(this.#options);
    const thread = this.#thread;
    return await thread.ask({ forge: forge.name, ...delivery, secrets }, signal).finally(() => {
      if (!thread.isBusy()) void this.#endWhenIdle(thread);
    });
  }

  /** Ends the thread. What it has not read is rejected. */
  async close(): Promise<void> {
    this.#idling.abort();
    await this.#thread?.end();
  }

  async #endWhenIdle(thread: Thread): Promise<void> {
    const { clock, idleMs } = this.#options;
    this.#idling = new AbortController();
    const isOver = await clock.sleep(idleMs, this.#idling.signal).then(
      () => true,
      () => false,
    );
    if (isOver) await thread.end();
  }
}

class Thread {
  ended = false;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Pick<PromiseWithResolvers<Read>, 'resolve' | 'reject'>>();
  #lastId = 0;

  constructor({ program }: ReaderOptions) {
    this.#worker = new Worker(program, { argv: [] });
    this.#worker.unref();
    this.#worker.on('message', ({ id, read, error }: Reply) => {
      if (read) this.#waiting.get(id)?.resolve(read);
      else this.#waiting.get(id)?.reject(new Error(error));
    });
    this.#worker.on('error', (error) => this.#fail(error.message));
    this.#worker.on('exit', () => this.#fail('it was stopped'));
  }

  isBusy(): boolean {
    return this.#waiting.size > 0;
  }

  async ask(question: Omit<Question, 'id'>, signal: AbortSignal): Promise<Read> {
    const id = ++this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<Read>();
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    this.#waiting.set(id, { resolve, reject });
    const { body } = question;
    try {
      this.#worker.postMessage({ ...question, id }, isWhole(body) ? [body.buffer] : []);
      return await promise;
    } finally {
      this.#waiting.delete(id);
      signal.removeEventListener('abort', abort);
    }
  }

  async end(): Promise<void> {
    this.ended = true;
    await this.#worker.terminate();
  }

  #fail(why: string): void {
    this.ended = true;
    for (const { reject } of this.#waiting.values()) reject(new Error(`the thread for large deliveries ended: ${why}`));
  }
}

/** Whether the bytes are all of their buffer, which then can be handed over instead of copied. */
function isWhole(bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> {
  return bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength;
}
