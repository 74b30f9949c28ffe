// For tests of the reflector: one that follows the ConfigMaps of a test's namespace through the fault proxy, and all it told.
import { type Clock, systemClock } from '../../src/clock.ts';
import { Reflector } from '../../src/kube/reflector.ts';
import type { Log } from '../../src/log.ts';
import type { TestContext } from './cluster.ts';
import { type ConfigMap, configMaps, type KubeFixture, kubeFixture, lines } from './kube-fixture.ts';
import { waitFor } from './wait.ts';

export interface ReflectorFixture extends KubeFixture {
  readonly reflector: Reflector<ConfigMap>;
  /** What onChange was called with, as "added a=1". */
  readonly changes: readonly string[];
  /** Why the watch was started again. */
  readonly restarts: readonly string[];
  /** Messages of the log. */
  readonly logged: readonly string[];
  /** Waits until the store holds what a fresh list says and the callbacks told the same. */
  converged(): Promise<void>;
  /** Waits until the watch is open. */
  watching(): Promise<void>;
  /** Ends it, and resolves when run() has. */
  stop(): Promise<void>;
}

export interface ReflectorFixtureOptions {
  /** The reflector's only; the client has real time. */
  readonly clock?: Clock;
  /** As the reflector's option. */
  readonly optional?: boolean;
  /** Before it starts. */
  readonly prepare?: (fixture: KubeFixture) => Promise<unknown>;
  readonly onChange?: (line: string) => void;
}

export async function reflectorFixture(
  t: TestContext,
  options: ReflectorFixtureOptions = {},
): Promise<ReflectorFixture> {
  const fixture = await kubeFixture(t);
  await options.prepare?.(fixture);
  const told = new Map<string, string>();
  const changes: string[] = [];
  const restarts: string[] = [];
  const logged: string[] = [];
  const record = (_fields: unknown, message: string): void => void logged.push(message);
  const reflector = new Reflector<ConfigMap>({
    client: fixture.client,
    type: configMaps,
    namespace: fixture.namespace,
    labelSelector: 'test=kube',
    optional: options.optional ?? false,
    clock: options.clock ?? systemClock,
    log: { debug: record, info: record, warn: record, error: record } as unknown as Log,
    random: () => 0,
    onRestart: (_type, why) => restarts.push(why),
    onChange: ({ kind, key, object }) => {
      const [line = ''] = lines([object]);
      changes.push(`${kind} ${line}`);
      if (kind === 'deleted') told.delete(key);
      else told.set(key, line);
      options.onChange?.(line);
    },
  });
  const abort = new AbortController();
  const run = reflector.run(abort.signal);
  const stop = async (): Promise<void> => {
    abort.abort(new Error('the test is over'));
    await run;
  };
  t.after(stop);
  const converged = async (): Promise<void> => {
    const same = async (): Promise<boolean> => {
      const truth = (await fixture.truth()).join('\n');
      return lines(reflector.list()).join('\n') === truth && [...told.values()].sort().join('\n') === truth;
    };
    await waitFor(same, { what: 'the store to hold what a list says', deadlineMs: 30_000 });
  };
  const watching = async (): Promise<void> => {
    const open = (): boolean =>
      fixture.proxy.log.some(({ query, done, status }) => query.get('watch') === 'true' && !done && status === 200);
    await waitFor(open, { what: 'an open watch', deadlineMs: 30_000 });
  };
  return { ...fixture, reflector, changes, restarts, logged, converged, watching, stop };
}
