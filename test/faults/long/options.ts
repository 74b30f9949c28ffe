// The options of the long run. Called by main.ts; the short form has its own.
import { parseArgs } from 'node:util';

export interface LongOptions {
  readonly pushes: number;
  readonly gitHooks: number;
  readonly replicas: number;
  /** What the nemesis, the clients and the ends of Jobs are drawn from. */
  readonly seed: number;
  readonly soakMinutes: number;
  /** Deliveries under way at a time. */
  readonly connections: number;
  /** Unique pushes a second at most; Infinity is as fast as it goes. */
  readonly perSecond: number;
  readonly nemesis: boolean;
  /** The nemesis goes on until this share of the runs is over: what is left shows that a mended cluster ends all. */
  readonly underFire: number;
  /** The faults last so many times as long as in a full run. */
  readonly pace: number;
}

export const defaults: LongOptions = {
  pushes: 10_000,
  gitHooks: 200,
  replicas: 3,
  seed: Date.now() % 1_000_000,
  soakMinutes: 60,
  connections: 48,
  perSecond: Number.POSITIVE_INFINITY,
  nemesis: true,
  underFire: 0.9,
  pace: 1,
};

/** Pushes a second of the soak: a light load. */
export const soakPerSecond = 0.5;

export const usage = `npm run faults:long -- [options]
  --pushes N         unique pushes (default ${defaults.pushes}; 0 for the soak alone)
  --githooks N       GitHooks, ten a repository (default ${defaults.gitHooks})
  --replicas N       replicas of kube-git (default ${defaults.replicas})
  --seed N           repeats the faults of an earlier run
  --soak-minutes N   a light load with faults after it (default ${defaults.soakMinutes})
  --connections N    deliveries at a time (default ${defaults.connections})
  --per-second N     unique pushes a second at most (default: as fast as it goes)
  --no-nemesis       without faults
  --under-fire SHARE faults until this share of the runs is over (default ${defaults.underFire}, of 1)
  --keep             write the result into docs/reliability.md
`;

/** Throws with a sentence where an argument is none of ours. */
export function parseOptions(argv: readonly string[]): { readonly options: LongOptions; readonly keep: boolean } {
  const { values } = parseArgs({
    args: [...argv],
    allowNegative: true,
    options: {
      pushes: { type: 'string' },
      githooks: { type: 'string' },
      replicas: { type: 'string' },
      seed: { type: 'string' },
      'soak-minutes': { type: 'string' },
      connections: { type: 'string' },
      'per-second': { type: 'string' },
      nemesis: { type: 'boolean', default: true },
      'under-fire': { type: 'string' },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) throw new Error('The long run.');
  const number = (name: Exclude<keyof typeof values, 'nemesis' | 'keep' | 'help'>, usual: number): number => {
    const value = Number(values[name] ?? usual);
    if (Number.isNaN(value) || value < 0) throw new Error(`--${name} must be a number.`);
    return value;
  };
  const options = {
    pushes: number('pushes', defaults.pushes),
    gitHooks: number('githooks', defaults.gitHooks),
    replicas: number('replicas', defaults.replicas),
    seed: number('seed', defaults.seed),
    soakMinutes: number('soak-minutes', defaults.soakMinutes),
    connections: number('connections', defaults.connections),
    perSecond: number('per-second', defaults.perSecond),
    nemesis: values.nemesis,
    underFire: number('under-fire', defaults.underFire),
    pace: defaults.pace,
  };
  return { options, keep: values.keep };
}
