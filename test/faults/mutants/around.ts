// Mutants that tell wrongly, leak, reach too far, never rest, leave things behind, or hold up others.
import { killAt } from '../points.ts';
import { suspended } from '../trouble.ts';
import { type Mutant, patienceMs } from './mutant.ts';

export const others: readonly Mutant[] = [
  {
    name: 'writes down that it has told before it tells',
    edits: [
      {
        file: 'src/controller/telling/tell.ts',
        find: `const outcome = await send(run, sinkKey, next.state, context, signal);
    return await record(key, (now) => outcome(now, sink), context, signal);`,
        replace: `const time = formatTime(context.clock.now());
    const again = await record(key, (now) => accepted(now, next.state, sink, time), context, signal);
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
        file: 'src/controller/telling/sinks.ts',
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
    story: () => ({ args: ['-fetch=git'] }),
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
    story: () => ({ args: ['-fetch=git'] }),
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
];
