// How kube-git logs in at the API server: what to send now, kept until it is too old or was refused.
// Made by kubeconfig.ts, asked by the client before each request. The contents never reach a log or an error.
import type { Clock } from '../clock.ts';
import type { ClientCertificate } from './transport.ts';

/** What to send. Both may be missing: then the request is anonymous. */
export interface Login {
  readonly token?: string | undefined;
  readonly certificate?: ClientCertificate | undefined;
}

export interface Credentials {
  /** Throws an Error that names the file or program that could not give them, or the signal's reason. */
  current(signal: AbortSignal): Promise<Login>;
  /** The API server answered 401 to this login. True when current() will look for a newer one. */
  refused(login: Login): boolean;
}

/** Credentials that never change. */
export function fixedCredentials(login: Login): Credentials {
  return { current: async () => login, refused: () => false };
}

/** A login and the time (ms since 1970) from which it must be looked up again. */
export interface DatedLogin {
  readonly login: Login;
  readonly staleAt: number;
}

/** Credentials that are looked up when needed, once at a time however many ask. */
export class LoadedCredentials implements Credentials {
  readonly #load: () => Promise<DatedLogin>;
  readonly #clock: Clock;
  #kept: DatedLogin | undefined;
  #loading: Promise<DatedLogin> | undefined;

  constructor(load: () => Promise<DatedLogin>, clock: Clock) {
    this.#load = load;
    this.#clock = clock;
  }

  async current(signal: AbortSignal): Promise<Login> {
    signal.throwIfAborted();
    if (this.#kept !== undefined && this.#clock.now() < this.#kept.staleAt) return this.#kept.login;
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined;
    });
    this.#kept = await orAborted(this.#loading, signal);
    return this.#kept.login;
  }

  refused(login: Login): boolean {
    if (this.#kept?.login === login) this.#kept = undefined;
    return true;
  }
}

/** The promise's outcome, or the signal's reason if that comes first. */
async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort = (): void => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
