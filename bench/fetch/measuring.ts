// Measures readings and clones in turn, all at one round-trip time. Called by bench/groups/fetch.ts.
import type { Bench } from '../group.ts';
import type { Size } from './repositories.ts';
import type { SlowProxy } from './slow-proxy.ts';

export type Way = 'depth 1' | 'depth 6' | 'git clone --single-branch' | 'git clone --depth=1';

/** One way to have a manifest of one repository. */
export interface Subject {
  readonly size: Size;
  readonly way: Way;
  /** How often it is timed. */
  readonly repeats: number;
  /** Does it once; in milliseconds. */
  time(): Promise<number>;
  /** The most memory of all its processes and the most of disk, in bytes, each time; asked last. */
  most(): Promise<Most>;
  /** Can be called again. */
  end(): Promise<void>;
}

export interface Most {
  readonly memory: readonly number[];
  readonly disk: readonly number[];
}

/** Of one subject, a value each time: milliseconds, and bytes. */
export interface Costs extends Most {
  readonly size: Size;
  readonly way: Way;
  readonly roundTripMs: number;
  readonly time: readonly number[];
  readonly wire: readonly number[];
}

export interface Measuring {
  readonly bench: Bench;
  readonly proxy: SlowProxy;
  readonly roundTripMs: number;
}

/** Times all in turn, so that each mood of the machine is one of all. To look at memory takes time of the same cores: that is apart. */
export async function measure(measuring: Measuring, subjects: readonly Subject[]): Promise<readonly Costs[]> {
  const timed = subjects.map((subject) => ({ subject, time: [] as number[], wire: [] as number[] }));
  for (let round = 0; round < measuring.bench.repeats; round++) {
    for (const each of timed) if (round < each.subject.repeats) await timeOnce(each, measuring);
  }
  const costs: Costs[] = [];
  for (const { subject, time, wire } of timed) {
    const { size, way } = subject;
    costs.push({ size, way, roundTripMs: measuring.roundTripMs, time, wire, ...(await subject.most()) });
  }
  return costs;
}

interface Timed {
  readonly subject: Subject;
  readonly time: number[];
  readonly wire: number[];
}

/** Over a new connection, as a push has it that comes alone; a clone has no other. */
async function timeOnce({ subject, time, wire }: Timed, { bench, proxy }: Measuring): Promise<void> {
  bench.signal.throwIfAborted();
  await proxy.hangUp();
  const before = proxy.bytes();
  time.push(await subject.time());
  wire.push(proxy.bytes() - before);
}
