// An API server that is behind: after the crash it lists runs and Jobs as they were some versions ago, and its watches begin
// there, late.
import type { Fault } from '../env/proxy.ts';
import type { Observer, Seen } from './observer.ts';
import type { Nemesis } from './points.ts';
import type { Scene } from './scenario.ts';

interface Versioned {
  readonly metadata: { readonly uid?: string; readonly resourceVersion?: string };
}

interface Past {
  readonly resourceVersion: string;
  readonly githookruns: readonly Versioned[];
  readonly jobs: readonly Versioned[];
}

/** Long enough for a leader to act on what the list says. */
const watchDelayMs = 1_500;

/** For Story.downtime and Story.nemesis: `versions` are those of all runs and Jobs together. */
export function oldLists(versions: number): {
  readonly downtime: (scene: Scene) => Promise<void>;
  readonly nemesis: Nemesis;
} {
  let past: Past | undefined;
  return {
    downtime: async ({ observer }) => {
      past = asOf(observer, versions);
    },
    nemesis: ({ name }): Fault | undefined => {
      if (past === undefined) return undefined;
      const { resourceVersion, githookruns, jobs } = past;
      if (/^WATCH (?:githookruns|jobs) /.test(name)) return { kind: 'delay', ms: watchDelayMs };
      if (name.startsWith('LIST githookruns')) return rewritten(githookruns, resourceVersion);
      return name.startsWith('LIST jobs') ? rewritten(jobs, resourceVersion) : undefined;
    },
  };
}

function rewritten(items: readonly Versioned[], resourceVersion: string): Fault {
  const body = (text: string): string => JSON.stringify({ ...JSON.parse(text), metadata: { resourceVersion }, items });
  return { kind: 'edit', body };
}

/** Everything but the last changes. Resource versions of one API server are in one order. */
function asOf({ runs, jobs }: Observer, versions: number): Past {
  const all = [...runs, ...jobs].map(({ object }) => Number(object.metadata.resourceVersion)).sort((a, b) => a - b);
  const kept = all.slice(0, Math.max(0, all.length - versions));
  const resourceVersion = kept.at(-1) ?? (all[0] ?? 1) - 1;
  return {
    resourceVersion: String(resourceVersion),
    githookruns: statesAt(runs, resourceVersion),
    jobs: statesAt(jobs, resourceVersion),
  };
}

function statesAt<T extends Versioned>(seen: readonly Seen<T>[], resourceVersion: number): readonly T[] {
  const states = new Map<string, T>();
  for (const { type, object } of seen) {
    const { uid = '', resourceVersion: version } = object.metadata;
    if (Number(version) > resourceVersion) continue;
    if (type === 'DELETED') states.delete(uid);
    else states.set(uid, object);
  }
  return [...states.values()];
}
