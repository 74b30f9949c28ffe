// For tests of the elector: candidates for one Lease on the test cluster, each behind a fault proxy of its own, and time
// that only the test moves. While it moves, no two of them may ever be fresh.
import assert from 'node:assert/strict';
import { KubeClient } from '../../src/kube/client.ts';
import { fixedCredentials } from '../../src/kube/credentials.ts';
import type { CallOptions, Kube } from '../../src/kube/kube.ts';
import { Elector } from '../../src/kube/lease.ts';
import type { Lease } from '../../src/kube/lease-record.ts';
import type { Log } from '../../src/log.ts';
import { api, type TestContext, testCluster, testNamespace } from './cluster.ts';
import { ManualClock } from './manual-clock.ts';
import { type FaultProxy, startProxy } from './proxy.ts';
import { StoppableClock } from './stoppable-clock.ts';
import { waitFor } from './wait.ts';

export interface LeaseSpec {
  readonly holderIdentity?: string | null;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}

export interface Candidate {
  readonly name: string;
  readonly elector: Elector;
  readonly clock: StoppableClock;
  readonly proxy: FaultProxy;
  /** Settles as run() does. */
  readonly run: Promise<void>;
  stop(): void;
  readonly calls: Calls;
  /** Its calls get no answer and do not reach the API server; after the returned function was called, new ones do. */
  hang(): () => void;
  /** The next `lead` ends so once its signal aborts, or at once where that is said. */
  ending: { at: 'abort' | 'once'; as: Promise<void> };
}

export interface Election {
  readonly clock: ManualClock;
  /** What `lead` saw, as "a leads" and "a stops", with the manual clock's time. */
  readonly history: readonly { readonly what: string; readonly ms: number }[];
  /** Messages of the logs. */
  readonly logged: readonly string[];
  /** Starts one; `rate`: how fast its clock runs. */
  add(name: string, options?: { readonly rate?: number }): Promise<Candidate>;
  /** Lets time pass, and every call end that gets an answer. Throws when two were fresh at the same time. */
  pass(ms: number): Promise<void>;
  /** Names of those that are fresh. */
  fresh(): string[];
  /** Past all candidates. */
  lease(): Promise<Lease & { readonly spec: LeaseSpec }>;
  put(spec: LeaseSpec | undefined, labels?: Readonly<Record<string, string>>): Promise<void>;
  remove(): Promise<void>;
}

export async function electionFixture(t: TestContext): Promise<Election> {
  const namespace = await testNamespace(t);
  const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
  const clock = new ManualClock();
  const candidates: Candidate[] = [];
  const history: { what: string; ms: number }[] = [];
  const logged: string[] = [];
  const record = (_fields: unknown, message: string): void => void logged.push(message);
  const log = { debug: record, info: record, warn: record, error: record } as unknown as Log;
  const fresh = (): string[] => candidates.filter(({ elector }) => elector.isFresh()).map(({ name }) => name);
  const settled = async (): Promise<void> => {
    await waitFor(() => candidates.every(({ calls }) => calls.settled()), { what: 'the calls to end', everyMs: 1 });
    assert.ok(fresh().length < 2, `fresh at the same time: ${fresh().join(', ')}`);
  };

  const add = async (name: string, { rate = 1 } = {}): Promise<Candidate> => {
    const { client, proxy } = await connect(t);
    const calls = new Calls(client);
    const own = new StoppableClock(clock, rate);
    const elector = new Elector({
      client: calls,
      namespace,
      name: 'test',
      identity: name,
      clock: own,
      log,
      random: () => 0.5,
    });
    const ending: Candidate['ending'] = { at: 'abort', as: Promise.resolve() };
    const lead = async (signal: AbortSignal): Promise<void> => {
      history.push({ what: `${name} leads`, ms: clock.monotonic() });
      if (ending.at === 'abort') await new Promise((resolve) => signal.addEventListener('abort', resolve));
      if (ending.at === 'abort') history.push({ what: `${name} stops`, ms: clock.monotonic() });
      await ending.as;
    };
    const abort = new AbortController();
    const run = elector.run(abort.signal, lead);
    run.catch(() => undefined);
    const candidate = {
      name,
      elector,
      clock: own,
      proxy,
      run,
      ending,
      calls,
      stop: () => abort.abort(),
      hang: () => hang(proxy, calls),
    };
    candidates.push(candidate);
    t.after(() => abort.abort());
    return candidate;
  };

  const pass = async (ms: number): Promise<void> => {
    const end = clock.monotonic() + ms;
    await settled();
    for (let left = ms; left > 0; left = end - clock.monotonic()) {
      await clock.advance(Math.min(clock.sleeps()[0] ?? left, left));
      await settled();
    }
  };

  return {
    clock,
    history,
    logged,
    add,
    pass,
    fresh,
    lease: () => api('GET', `${path}/test`),
    put: async (spec, labels = {}) => {
      const known = await api<Lease>('GET', `${path}/test`).catch(() => undefined);
      const metadata = { name: 'test', ...known?.metadata, labels };
      const body = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec };
      await api(known ? 'PUT' : 'POST', known ? `${path}/test` : path, body);
    },
    remove: async () => {
      await api('DELETE', `${path}/test`);
    },
  };
}

/** Candidate a leads, and b stands. */
export async function ledByA(
  t: TestContext,
  { rateOfA = 1, rateOfB = 1 } = {},
): Promise<Election & { readonly a: Candidate; readonly b: Candidate }> {
  const election = await electionFixture(t);
  const a = await election.add('a', { rate: rateOfA });
  await election.pass(1);
  const b = await election.add('b', { rate: rateOfB });
  await election.pass(5_000);
  assert.deepEqual(election.fresh(), ['a']);
  return { ...election, a, b };
}

export function told({ history }: Election): string[] {
  return history.map(({ what }) => what);
}

async function connect(t: TestContext): Promise<{ client: KubeClient; proxy: FaultProxy }> {
  const { server, ca, token } = testCluster();
  const proxy = await startProxy({ target: new URL(server), ...(ca === '' ? {} : { ca }) });
  const client = new KubeClient({ server: { url: new URL(proxy.url) }, credentials: fixedCredentials({ token }) });
  t.after(async () => {
    client.close();
    await proxy.close();
  });
  return { client, proxy };
}

function hang(proxy: FaultProxy, calls: Calls): () => void {
  const forget = proxy.rule(() => ({ kind: 'hold', until: new Promise(() => undefined) }));
  calls.hanging = true;
  return () => {
    forget();
    calls.abandon();
  };
}

/** The client, and which of its calls are under way. */
class Calls implements Pick<Kube, 'get' | 'create' | 'replace'> {
  readonly get: Kube['get'];
  readonly create: Kube['create'];
  readonly replace: Kube['replace'];
  readonly #open = new Set<AbortSignal | undefined>();
  #abandoned = new Set<AbortSignal | undefined>();
  /** Calls may get no answer, and time passes without. */
  hanging = false;

  constructor(client: Kube) {
    this.get = (type, key, options) => this.#count(client.get(type, key, options), options);
    this.create = (type, object, options) => this.#count(client.create(type, object, options), options);
    this.replace = (type, object, options) => this.#count(client.replace(type, object, options), options);
  }

  /** Nothing more happens before time passes. */
  settled(): boolean {
    return [...this.#open].every((signal) => (this.hanging || this.#abandoned.has(signal)) && !signal?.aborted);
  }

  /** Calls get answers again, but not those under way. */
  abandon(): void {
    this.#abandoned = new Set(this.#open);
    this.hanging = false;
  }

  async #count<T>(call: Promise<T>, options: CallOptions | undefined): Promise<T> {
    this.#open.add(options?.signal);
    try {
      return await call;
    } finally {
      this.#open.delete(options?.signal);
    }
  }
}
