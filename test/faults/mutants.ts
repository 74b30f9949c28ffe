// Programs that break a promise on purpose: an edit of the source each, the fault under which it shows, and the oracle that
// has to notice. An oracle that stays silent here proves nothing anywhere else.
import { finishJobs, fleetingManifest, redeliver } from './downtime.ts';
import type { Oracle } from './oracles.ts';
import { killAt, together } from './points.ts';
import type { Edit } from './program.ts';
import type { Story } from './scenario.ts';
import { cannotReach, forgetsTwice, squatter, suspended } from './trouble.ts';

export interface Mutant {
  /** The promise as it is broken. */
  readonly name: string;
  readonly edits: readonly Edit[];
  /** The fault, in words. */
  readonly fault: string;
  readonly story: () => Omit<Story, 'program'>;
  readonly caughtBy: Oracle;
}

/** Those that never come to an end need not be waited for longer than a right one takes on a slow machine. */
const patienceMs = 15_000;

export const mutants: readonly Mutant[] = [
  {
    name: 'answers before it has recorded',
    edits: [
      {
        file: 'src/receiver/decisions.ts',
        find: 'return decisionFor(recording.gitHook, told(await record(recording, { kube: deps.kube, signal })));',
        replace: `void record(recording, { kube: deps.kube, signal }).catch(() => undefined);
          return decisionFor(recording.gitHook, { decision: 'RunCreated', run: '' });`,
      },
    ],
    fault: 'none',
    story: () => ({}),
    caughtBy: 'S3',
  },
  {
    name: 'answers before it has recorded, and dies',
    edits: [
      {
        file: 'src/receiver/decisions.ts',
        find: 'return decisionFor(recording.gitHook, told(await record(recording, { kube: deps.kube, signal })));',
        replace: `setTimeout(() => void record(recording, { kube: deps.kube, signal }).catch(() => undefined), 50);
          return decisionFor(recording.gitHook, { decision: 'RunCreated', run: '' });`,
      },
    ],
    fault: 'killed before POST githookruns',
    story: () => ({ nemesis: killAt('POST githookruns #1', 'before it is sent'), patienceMs }),
    caughtBy: 'S2',
  },
  {
    name: 'takes a redelivery for another push',
    edits: [
      {
        file: 'src/api/identity.ts',
        find: "delivery.id === id || delivery.digest === digest)) return 'duplicate';",
        replace: "delivery.id === id || delivery.digest === digest)) return 'next';",
      },
    ],
    fault: 'redelivered',
    story: () => ({ afterwards: redeliver, patienceMs }),
    caughtBy: 'S1',
  },
  {
    name: 'takes a run that it cannot read yet for one that is gone',
    edits: [
      {
        file: 'src/controller/run-store.ts',
        find: 'if (isNotFound(error) && !this.#isWatched(key)) return undefined;',
        replace: 'if (isNotFound(error)) return undefined;',
      },
    ],
    fault: 'the run is not found twice',
    story: () => ({ nemesis: forgetsTwice('githookruns'), patienceMs }),
    caughtBy: 'S2',
  },
  {
    name: 'names the child at random',
    edits: [
      {
        file: 'src/resource/name.ts',
        find: "digest(run.metadata.uid ?? '', suffixLength)",
        replace: 'digest(String(Math.random()), suffixLength)',
      },
    ],
    fault: 'POST jobs: answer lost; then the Job is not found twice',
    story: () => ({ nemesis: together(killAt('POST jobs #1', 'applied, answer lost'), forgetsTwice('jobs')) }),
    caughtBy: 'S1',
  },
  {
    name: 'does not write down the name before it creates',
    edits: [
      {
        file: 'src/controller/run.ts',
        find: `const creating = await stand(
    run,
    { phase: 'Creating', reason: 'ManifestFetched', message: \`creating \${kind.title} \${name}\`, resource },
    context,
    signal,
  );`,
        replace: 'const creating = run; void resource;',
      },
    ],
    fault: 'POST jobs: answer lost; then git is away',
    story: () => ({
      nemesis: together(killAt('POST jobs #1', 'applied, answer lost'), cannotReach('git', 'after POST jobs #1')),
      patienceMs,
    }),
    caughtBy: 'S2',
  },
  {
    name: 'takes what has the name of its child for its child',
    edits: [
      {
        file: 'src/controller/child.ts',
        find: 'if (isControlledBy(found, run)) return found;',
        replace: 'if (found !== undefined) return found;',
      },
    ],
    fault: "killed before POST jobs; then somebody else's Job has the name",
    story: () => ({
      nemesis: killAt('POST jobs #1', 'before it is sent'),
      downtime: squatter,
      expected: 'Failed/NameTaken',
    }),
    caughtBy: 'S1',
  },
  {
    name: 'leaves the TTL of the manifest to the cluster',
    edits: [
      {
        file: 'src/resource/job.ts',
        find: 'return ownTtl === undefined || isTtl(ownTtl) ? { ttlSecondsAfterFinished: handOverSeconds } : {};',
        replace: 'return {};',
      },
    ],
    fault: 'POST jobs: answer lost; the Job ends meanwhile, TTL 0',
    story: () => ({
      nemesis: killAt('POST jobs #1', 'applied, answer lost'),
      downtime: finishJobs,
      manifest: fleetingManifest,
    }),
    caughtBy: 'S1',
  },
  {
    name: 'writes down that it has told before it tells',
    edits: [
      {
        file: 'src/controller/tell.ts',
        find: `const outcome = await send(run, sinkKey, next.state, context, signal);
    return await record(run, (now) => outcome(now, sink), sinkKey, context, signal);`,
        replace: `const time = formatTime(context.clock.now());
    const again = await record(run, (now) => accepted(now, next.state, sink, time), sinkKey, context, signal);
    await send(run, sinkKey, next.state, context, signal);
    return again;`,
      },
    ],
    fault: 'killed before the last commit status',
    story: () => ({ nemesis: killAt('POST commit status #2', 'before it is sent') }),
    caughtBy: 'S4',
  },
  {
    name: 'does not tell again what it could not tell',
    edits: [
      {
        file: 'src/controller/sinks.ts',
        find: 'if (error instanceof TerminalError) return refused;',
        replace: 'if (error) return refused;',
      },
    ],
    fault: 'the last commit status is not taken, once',
    story: () => ({
      nemesis: ({ name }) => (name === 'POST commit status #2' ? { kind: 'answer', status: 503 } : undefined),
      patienceMs,
    }),
    caughtBy: 'S4',
  },
  {
    name: 'speaks on when it no longer leads',
    edits: [
      {
        file: 'src/kube/lease.ts',
        find: 'return this.#options.clock.monotonic() < this.#freshUntilMs;',
        replace: 'return this.#freshUntilMs !== undefined;',
      },
    ],
    fault: 'stopped before it tells the start, for longer than its Lease',
    story: suspended,
    caughtBy: 'S4',
  },
  {
    name: 'gives git its own environment',
    edits: [
      {
        file: 'src/git/environment.ts',
        find: '    HOME: join(folder, ',
        replace: '    ...(own as Record<string, string>),\n    HOME: join(folder, ',
      },
    ],
    fault: 'none',
    story: () => ({}),
    caughtBy: 'S5',
  },
  {
    name: 'creates as itself, not as the account of the namespace',
    edits: [
      {
        file: 'src/controller/permission.ts',
        find: 'return { kube: kube.as({ namespace, name }), remedy };',
        replace: 'return { kube, remedy };',
      },
    ],
    fault: 'none',
    story: () => ({}),
    caughtBy: 'S6',
  },
  {
    name: 'lets the manifest set reserved labels',
    edits: [
      {
        file: 'src/resource/metadata.ts',
        find: 'const kept = Object.entries(own).filter(([key]) => !key.startsWith(`${group}/`));',
        replace: 'const kept = Object.entries(own);',
      },
      {
        file: 'src/resource/metadata.ts',
        find: "labels: { ...foreign(manifest, 'labels'), ...labelsOf(run) },",
        replace: "labels: { ...labelsOf(run), ...foreign(manifest, 'labels') },",
      },
    ],
    fault: 'none',
    story: () => ({ patienceMs }),
    caughtBy: 'S6',
  },
  {
    name: 'looks at a run that has ended again and again',
    edits: [
      {
        file: 'src/controller/run.ts',
        find: `    await finish(run, context, signal);
    return undefined;
  }
  try {`,
        replace: `    await finish(run, context, signal);
    await context.kube.get({ group: 'batch', version: 'v1', plural: 'jobs' }, { namespace: run.metadata.namespace ?? '', name: run.status?.resource?.name ?? 'x' }, { signal }).catch(() => undefined);
    return 200;
  }
  try {`,
      },
    ],
    fault: 'killed after the end is written',
    story: () => ({ nemesis: killAt('PATCH jobs #1', 'before it is sent') }),
    caughtBy: 'S7',
  },
  {
    name: 'leaves the folder of a fetch behind',
    edits: [
      { file: 'src/git/session.ts', find: 'close: () => remove(folder),', replace: 'close: async () => undefined,' },
    ],
    fault: 'none',
    story: () => ({}),
    caughtBy: 'S8',
  },
  {
    name: 'lets one push hold up the others',
    edits: [
      {
        file: 'src/controller/controller.ts',
        find: 'const runWorkers = 16;',
        replace: 'const runWorkers = 1;',
      },
    ],
    fault: 'the server of git hangs, once; the neighbour pushes meanwhile',
    story: () => ({
      nemesis: ({ name }) => (name === 'POST git-upload-pack #1' ? { kind: 'silence', afterBytes: 0 } : undefined),
      afterwards: ({ pushToNeighbour }) => pushToNeighbour(),
    }),
    caughtBy: 'S9',
  },
  // To come with the recovery of pushes that never arrived: one that keeps its baseline in memory.
];
