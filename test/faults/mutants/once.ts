// Mutants that lose a push, or run it twice.
import { finishJobs, fleetingManifest, redeliver } from '../downtime.ts';
import { killAt, together } from '../points.ts';
import { cannotReach, forgetsTwice, squatter, unheard } from '../trouble.ts';
import { type Mutant, patienceMs } from './mutant.ts';

export const losingOrDoubling: readonly Mutant[] = [
  {
    name: 'answers before it has recorded',
    edits: [
      {
        file: 'src/receiver/decisions.ts',
        find: 'await deps.recordings.run(() => record(recording, { kube: deps.kube, signal }), signal);',
        replace: `{ kind: 'created', run: '' } as const;
          void record(recording, { kube: deps.kube, signal }).catch(() => undefined);`,
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
        find: 'await deps.recordings.run(() => record(recording, { kube: deps.kube, signal }), signal);',
        replace: `{ kind: 'created', run: '' } as const;
          setTimeout(() => void record(recording, { kube: deps.kube, signal }).catch(() => undefined), 50);`,
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
        file: 'src/controller/steps/child.ts',
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
    name: 'keeps in memory where the refs were',
    edits: [
      {
        file: 'src/controller/recovery/baseline-store.ts',
        find: 'const stored = await acting.kube.get<ConfigMap>(configMapType, key, { signal });',
        replace: `const stored = inMemory.get(key.name);
    if (stored === undefined) return { baseline: undefined, resourceVersion: undefined };`,
      },
      {
        file: 'src/controller/recovery/baseline-store.ts',
        find: 'const object = configMapOf(gitHook, baseline);',
        replace: `const object = configMapOf(gitHook, baseline);
  inMemory.set(object.metadata.name ?? '', object);
  if (object) return;`,
      },
      {
        file: 'src/controller/recovery/baseline-store.ts',
        find: 'interface ConfigMap extends',
        replace: 'const inMemory = new Map<string, ConfigMap>();\n\ninterface ConfigMap extends',
      },
    ],
    fault: 'killed; the push comes meanwhile, and no webhook tells of it',
    story: () => ({ ...unheard(), patienceMs: 30_000 }),
    caughtBy: 'S2',
  },
];
