// testdata/jobs holds Jobs as people write them; testdata/rendered what kube-git makes of some of them for testdata/run.json.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { GitHookRun } from '../api/githookrun.ts';
import type { KubeObject } from '../api/object.ts';
import { job } from './job.ts';
import { parseManifest } from './manifest.ts';
import { at, isMapping, type Mapping } from './mapping.ts';
import runJson from './testdata/run.json' with { type: 'json' };

const run = runJson as GitHookRun;
const folder = new URL('testdata/', import.meta.url);

function read(path: string): string {
  return readFileSync(new URL(path, folder), 'utf8');
}

/** The metadata that kube-git sets; the others of its metadata and all of spec but ttlSecondsAfterFinished and env is the manifest's. */
const ours = ['name', 'generateName', 'namespace', 'ownerReferences', 'finalizers'];

/** A Job without what kube-git is documented to change: what is left must be the same before and after. */
function foreign(object: KubeObject): unknown {
  const { metadata, spec, ...rest } = object;
  const own = Object.fromEntries(Object.entries(metadata).filter(([field]) => !ours.includes(field)));
  const { ttlSecondsAfterFinished: _, ...others } = isMapping(spec) ? spec : {};
  const cleaned = { ...own, labels: withoutOurs(metadata.labels), annotations: withoutOurs(metadata.annotations) };
  return withoutVariables({ ...rest, metadata: cleaned, spec: others });
}

function withoutOurs(texts: unknown): Mapping {
  return Object.fromEntries(Object.entries(texts ?? {}).filter(([key]) => !key.startsWith('kubegit.appspero.com/')));
}

/** Without what the environment added; a list that is then empty is none. */
function withoutVariables(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutVariables);
  if (!isMapping(value)) return value;
  const entries = Object.entries(value).flatMap(([field, one]) => {
    if (field !== 'env') return [[field, withoutVariables(one)]];
    const env = ((one ?? []) as { name: string }[]).filter(({ name }) => !name.startsWith('KUBEGIT_'));
    return env.length === 0 ? [] : [[field, env]];
  });
  return Object.fromEntries(entries);
}

describe('a Job of every sort', () => {
  for (const file of readdirSync(new URL('jobs/', folder))) {
    it(`${file} is rendered with no field lost or changed but the documented ones, and is not changed itself`, () => {
      const manifest = parseManifest(read(`jobs/${file}`));
      const before = structuredClone(manifest);
      const rendered = job.render(manifest, run);
      assert.deepEqual(manifest, before);
      assert.deepEqual(job.render(manifest, run), rendered);
      assert.deepEqual(foreign(rendered), foreign(manifest));
      assert.equal(at(rendered, 'spec', 'ttlSecondsAfterFinished'), 2_592_000);
    });
  }

  for (const file of readdirSync(new URL('rendered/', folder))) {
    it(`${file} is what is created`, () => {
      const manifest = parseManifest(read(`jobs/${file.replace(/\.json$/, '')}`));
      assert.deepEqual(job.render(manifest, run), JSON.parse(read(`rendered/${file}`)));
    });
  }
});

function manifestOf(spec: unknown): KubeObject {
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: { generateName: 'x-' }, spec };
}

const ownTtl = 'kubegit.appspero.com/own-ttl';

describe('the clean-up time of a Job', () => {
  for (const { own, kept, back } of [
    { own: undefined, kept: undefined, back: null },
    { own: null, kept: undefined, back: null },
    { own: 0, kept: '0', back: 900 },
    { own: 60, kept: '60', back: 900 },
    { own: 901, kept: '901', back: 901 },
    { own: 5_000_000, kept: '5000000', back: 5_000_000 },
  ]) {
    it(`of ${own} is kept as ${kept} for 30 days and given back as ${back}`, () => {
      const live = job.render(manifestOf({ ttlSecondsAfterFinished: own }), run);
      assert.equal(at(live, 'spec', 'ttlSecondsAfterFinished'), 2_592_000);
      assert.equal(live.metadata.annotations?.[ownTtl], kept);
      assert.deepEqual(at(job.handBack(live), 'spec'), { ttlSecondsAfterFinished: back });
    });
  }

  for (const own of [-1, 1.5, '60', 2 ** 31, true, {}]) {
    it(`of ${JSON.stringify(own)} stays, for the API server to refuse`, () => {
      assert.equal(
        at(job.render(manifestOf({ ttlSecondsAfterFinished: own }), run), 'spec', 'ttlSecondsAfterFinished'),
        own,
      );
    });
  }

  it('is left alone where somebody set another meanwhile; the annotations go all the same', () => {
    const live = { ...manifestOf({ ttlSecondsAfterFinished: 5 }), metadata: { annotations: { [ownTtl]: '60' } } };
    const gone = { 'own-ttl': null, started: null, github: null, slack: null };
    const annotations = Object.fromEntries(
      Object.entries(gone).map(([key, none]) => [`kubegit.appspero.com/${key}`, none]),
    );
    assert.deepEqual(job.handBack(live), { metadata: { annotations } });
  });

  for (const spoilt of ['', '{', '"60"', '[]', 'null', '-5', '1e99', 'x'.repeat(100_000), 7, null, ['1']]) {
    it(`kept as ${String(JSON.stringify(spoilt)).slice(0, 20)}, which nobody wrote, is taken for none`, () => {
      const metadata = { annotations: { [ownTtl]: spoilt } } as object;
      const patch = job.handBack({ ...manifestOf({ ttlSecondsAfterFinished: 2_592_000 }), metadata });
      assert.deepEqual(at(patch, 'spec'), { ttlSecondsAfterFinished: null });
    });
  }

  for (const metadata of [{}, { annotations: null }, { annotations: [] }, { annotations: 'x' }]) {
    it(`is removed from a Job whose metadata is ${JSON.stringify(metadata)}`, () => {
      const patch = job.handBack({
        ...manifestOf({ ttlSecondsAfterFinished: 2_592_000 }),
        metadata: metadata as object,
      });
      assert.deepEqual(at(patch, 'spec'), { ttlSecondsAfterFinished: null });
    });
  }
});

describe('a malformed Job', () => {
  for (const spec of [
    undefined,
    null,
    'x',
    [],
    { template: 'x' },
    { template: { spec: [] } },
    { template: { spec: { containers: 'x' } } },
  ]) {
    it(`with spec ${JSON.stringify(spec)} is passed on for the API server to refuse`, () => {
      const { spec: rendered } = job.render(manifestOf(spec), run);
      assert.deepEqual(rendered, isMapping(spec) ? { ...spec, ttlSecondsAfterFinished: 2_592_000 } : spec);
    });
  }
});
