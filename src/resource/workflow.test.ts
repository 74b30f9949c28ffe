// testdata/workflows holds Workflows in the ways people write them; testdata/workflows-rendered what kube-git makes of some
// of them for testdata/run.json with both parameters.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { GitHookRun } from '../api/githookrun.ts';
import type { KubeObject } from '../api/object.ts';
import { parseManifest } from './manifest.ts';
import { at, isMapping, type Mapping, mappingsAt } from './mapping.ts';
import runJson from './testdata/run.json' with { type: 'json' };
import { workflow } from './workflow.ts';

const folder = new URL('testdata/', import.meta.url);
const argoWorkflow = { revisionParameterName: 'revision', branchParameterName: 'branch' };
const run = { ...runJson, spec: { ...runJson.spec, argoWorkflow } } as GitHookRun;

function read(path: string): string {
  return readFileSync(new URL(path, folder), 'utf8');
}

/** The metadata that kube-git sets. */
const ours = ['name', 'generateName', 'namespace', 'ownerReferences', 'finalizers'];
const isOurs = (key: string): boolean =>
  key.startsWith('kubegit.appspero.com/') || /^workflows\.argoproj\.io\/(completed|phase)$/.test(key);

function withoutOurs(texts: unknown): Mapping {
  return Object.fromEntries(Object.entries(texts ?? {}).filter(([key]) => !isOurs(key)));
}

/** A Workflow without what kube-git is documented to change: what is left must be the same before and after. */
function foreign(object: KubeObject): unknown {
  const { metadata, spec, status: _status, ...rest } = object;
  const own = Object.fromEntries(Object.entries(metadata).filter(([field]) => !ours.includes(field)));
  const { ttlStrategy: _, ttlSecondsAfterFinished: _old, arguments: given, ...others } = spec as Mapping;
  const cleaned = { ...own, labels: withoutOurs(metadata.labels), annotations: withoutOurs(metadata.annotations) };
  const { parameters: _parameters, ...otherArguments } = isMapping(given) ? given : {};
  return { ...rest, metadata: cleaned, spec: others, arguments: otherArguments, parameters: foreignParameters(object) };
}

/** The manifest's parameters; of those that are filled in, all but the value. */
function foreignParameters(object: KubeObject): readonly unknown[] {
  return mappingsAt(object, 'spec', 'arguments', 'parameters').flatMap((parameter) => {
    if (!Object.values(argoWorkflow).includes(String(parameter['name']))) return [parameter];
    const { value: _, ...others } = parameter;
    return Object.keys(others).length > 1 ? [others] : [];
  });
}

/** The values of a parameter. */
function valuesOf(object: KubeObject, name: string): readonly unknown[] {
  const parameters = mappingsAt(object, 'spec', 'arguments', 'parameters');
  return parameters.filter((parameter) => parameter['name'] === name).map((parameter) => parameter['value']);
}

describe('a Workflow of every sort', () => {
  for (const file of readdirSync(new URL('workflows/', folder))) {
    it(`${file} is rendered with no field lost or changed but the documented ones, and is not changed itself`, () => {
      const manifest = parseManifest(read(`workflows/${file}`));
      const before = structuredClone(manifest);
      const rendered = workflow.render(manifest, run);
      assert.deepEqual(manifest, before);
      assert.deepEqual(workflow.render(manifest, run), rendered);
      assert.deepEqual(foreign(rendered), foreign(manifest));
      assert.deepEqual(valuesOf(rendered, 'revision'), ['0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c']);
      assert.deepEqual(valuesOf(rendered, 'branch'), ['refs/heads/release/1.0']);
      assert.equal(at(rendered, 'spec', 'ttlStrategy', 'secondsAfterCompletion'), 2_592_000);
    });

    it(`${file} keeps its arguments as they are where the GitHook names no parameters`, () => {
      const manifest = parseManifest(read(`workflows/${file}`));
      const rendered = workflow.render(manifest, runJson as GitHookRun);
      assert.deepEqual(at(rendered, 'spec', 'arguments'), at(manifest, 'spec', 'arguments'));
    });
  }

  for (const file of readdirSync(new URL('workflows-rendered/', folder))) {
    it(`${file} is what is created`, () => {
      const manifest = parseManifest(read(`workflows/${file.replace(/\.json$/, '')}`));
      assert.deepEqual(workflow.render(manifest, run), JSON.parse(read(`workflows-rendered/${file}`)));
    });
  }

  it('that was exported after its end is begun anew: without its status, and without the labels of the end', () => {
    const { status, metadata } = workflow.render(parseManifest(read('workflows/workflow-metadata.json')), run);
    assert.equal(status, undefined);
    assert.deepEqual(Object.keys(metadata.labels ?? {}), ['kubegit.appspero.com/githook', 'kubegit.appspero.com/run']);
  });
});

function manifestOf(spec: unknown): KubeObject {
  return { apiVersion: 'argoproj.io/v1alpha1', kind: 'Workflow', metadata: { generateName: 'x-' }, spec };
}

const ownTtl = 'kubegit.appspero.com/own-ttl';
const month = 2_592_000;
const handedOver = { secondsAfterCompletion: month, secondsAfterSuccess: month, secondsAfterFailure: month };
const [completion, success, failure] = ['secondsAfterCompletion', 'secondsAfterSuccess', 'secondsAfterFailure'];
const nothing = { secondsAfterCompletion: null, secondsAfterSuccess: null, secondsAfterFailure: null };

const strategies: readonly { readonly own: Mapping; readonly kept: string | undefined; readonly back: unknown }[] = [
  { own: {}, kept: undefined, back: null },
  { own: { ttlStrategy: null, ttlSecondsAfterFinished: null }, kept: undefined, back: null },
  { own: { ttlStrategy: {} }, kept: undefined, back: null },
  { own: { ttlStrategy: { [success]: null } }, kept: undefined, back: null },
  { own: { ttlStrategy: { [success]: 5 } }, kept: '{"secondsAfterSuccess":5}', back: { ...nothing, [success]: 900 } },
  {
    own: { ttlStrategy: { [completion]: 0, [success]: 899, [failure]: 100_000 } },
    kept: '{"secondsAfterCompletion":0,"secondsAfterSuccess":899,"secondsAfterFailure":100000}',
    back: { [completion]: 900, [success]: 900, [failure]: 100_000 },
  },
  {
    own: { ttlStrategy: { [failure]: -1 } },
    kept: '{"secondsAfterFailure":-1}',
    back: { ...nothing, [failure]: 900 },
  },
  {
    own: { ttlSecondsAfterFinished: 3600 },
    kept: '{"secondsAfterCompletion":3600}',
    back: { ...nothing, [completion]: 3600 },
  },
  {
    own: { ttlSecondsAfterFinished: 3600, ttlStrategy: { [success]: 7200 } },
    kept: '{"secondsAfterCompletion":3600,"secondsAfterSuccess":7200}',
    back: { ...nothing, [completion]: 3600, [success]: 7200 },
  },
  {
    own: { ttlSecondsAfterFinished: 3600, ttlStrategy: { [completion]: 7200 } },
    kept: '{"secondsAfterCompletion":7200}',
    back: { ...nothing, [completion]: 7200 },
  },
];

describe('the clean-up time of a Workflow', () => {
  for (const { own, kept, back } of strategies) {
    it(`of ${JSON.stringify(own)} is kept for 30 days and given back as ${JSON.stringify(back)}`, () => {
      const live = workflow.render(manifestOf(own), run);
      assert.deepEqual(at(live, 'spec', 'ttlStrategy'), handedOver);
      assert.equal(at(live, 'spec', 'ttlSecondsAfterFinished'), undefined);
      assert.equal(live.metadata.annotations?.[ownTtl], kept);
      assert.deepEqual(at(workflow.handBack(live), 'spec'), { ttlStrategy: back });
    });
  }

  for (const own of ['60', [], 5, { [success]: '60' }, { [success]: 1.5 }, { [failure]: 2 ** 31 }, { other: 1 }]) {
    it(`of ${JSON.stringify(own)} stays, for others to refuse`, () => {
      const live = workflow.render(manifestOf({ ttlStrategy: own }), run);
      assert.deepEqual(at(live, 'spec', 'ttlStrategy'), own);
      assert.equal(live.metadata.annotations?.[ownTtl], undefined);
      assert.equal(at(workflow.handBack(live), 'spec'), undefined);
    });
  }

  it('is left alone where somebody set another meanwhile; the annotations go all the same', () => {
    const live = { ...manifestOf({ ttlStrategy: { ...handedOver, [success]: 60 } }) };
    const patch = workflow.handBack(live);
    assert.equal(at(patch, 'spec'), undefined);
    assert.equal(at(patch, 'metadata', 'annotations', ownTtl), null);
  });

  for (const spoilt of ['', '{', '60', '[]', 'null', '{"secondsAfterSuccess":"1"}', '{"x":1}', '{}', 7, null]) {
    it(`kept as ${JSON.stringify(spoilt)}, which nobody wrote, is taken for none`, () => {
      const live = { ...manifestOf({ ttlStrategy: handedOver }), metadata: { annotations: { [ownTtl]: spoilt } } };
      assert.deepEqual(at(workflow.handBack(live as KubeObject), 'spec'), { ttlStrategy: null });
    });
  }
});
