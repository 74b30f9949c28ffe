// What kube-git renders, put to a real API server: it takes every Job of testdata/jobs as it is, and speaks for itself where it does not.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { ApiError, api, testNamespace } from '../../test/env/cluster.ts';
import type { GitHookRun } from '../api/githookrun.ts';
import type { KubeObject } from '../api/object.ts';
import { job } from './job.ts';
import { parseManifest } from './manifest.ts';
import { at, isMapping } from './mapping.ts';
import runJson from './testdata/run.json' with { type: 'json' };

const folder = new URL('testdata/jobs/', import.meta.url);

function runIn(namespace: string): GitHookRun {
  const run = runJson as GitHookRun;
  return { ...run, metadata: { ...run.metadata, namespace } };
}

/** As the project's client creates; `dryRun` goes through all of the API server but etcd. */
function create(namespace: string, object: KubeObject, dryRun: boolean): Promise<KubeObject> {
  const query = `fieldValidation=Strict${dryRun ? '&dryRun=All' : ''}`;
  return api('POST', `/apis/batch/v1/namespaces/${namespace}/jobs?${query}`, object);
}

/** What only the API server may say; it overwrites what a manifest says there. */
const served = [
  '.status',
  '.metadata.creationTimestamp',
  '.metadata.generation',
  '.metadata.uid',
  '.metadata.selfLink',
];

/** Paths whose value was sent and is not what came back; a null is nothing sent. */
function lost(sent: unknown, back: unknown, path = ''): string[] {
  if (sent === null || served.includes(path)) return [];
  if (Array.isArray(sent))
    return sent.flatMap((one, i) => lost(one, Array.isArray(back) ? back[i] : undefined, `${path}[${i}]`));
  if (isMapping(sent)) return Object.entries(sent).flatMap(([key, one]) => lost(one, at(back, key), `${path}.${key}`));
  return sent === back ? [] : [`${path}: ${JSON.stringify(sent)} became ${JSON.stringify(back)}`];
}

describe('a rendered Job on a real API server', () => {
  it('is taken with every field of its manifest, whatever sort of Job it is', async (t) => {
    const namespace = await testNamespace(t);
    for (const file of readdirSync(folder)) {
      const manifest = parseManifest(readFileSync(new URL(file, folder), 'utf8'));
      const rendered = job.render(manifest, runIn(namespace));
      const back = await create(namespace, rendered, true).catch((error: Error) =>
        assert.fail(`${file}: ${error.message}`),
      );
      assert.deepEqual(lost(rendered, back), [], file);
    }
  });

  it('belongs to its run, and gets its own clean-up time back by the patch of handBack', async (t) => {
    const namespace = await testNamespace(t);
    const { uid: _, ...metadata } = runIn(namespace).metadata;
    const path = `/apis/kubegit.appspero.com/v1alpha1/namespaces/${namespace}/githookruns`;
    const run = await api<GitHookRun>('POST', path, { ...runIn(namespace), metadata });
    const manifest = parseManifest(readFileSync(new URL('volumes.yaml', folder), 'utf8'));
    const live = await create(namespace, job.render(manifest, run), false);
    assert.equal(live.metadata.ownerReferences?.[0]?.uid, run.metadata.uid);
    const name = live.metadata.name;
    const patched = await api<KubeObject>(
      'PATCH',
      `/apis/batch/v1/namespaces/${namespace}/jobs/${name}`,
      job.handBack(live),
    );
    assert.equal(at(patched, 'spec', 'ttlSecondsAfterFinished'), 900);
    const left = Object.keys(patched.metadata.annotations ?? {}).map((key) => key.split('/')[1]);
    assert.deepEqual(left.sort(), ['author', 'branch', 'commit', 'githook', 'repository']);
    const again = await api<KubeObject>(
      'PATCH',
      `/apis/batch/v1/namespaces/${namespace}/jobs/${name}`,
      job.handBack(patched),
    );
    assert.equal(at(again, 'spec', 'ttlSecondsAfterFinished'), 900);
  });
});

const head = 'apiVersion: batch/v1\nkind: Job\n';
const pod = 'template: {spec: {restartPolicy: Never, containers: [{name: main, image: alpine}]}}';

const refused: readonly {
  readonly what: string;
  readonly yaml: string;
  readonly status: number;
  readonly says: RegExp;
}[] = [
  {
    what: 'a misspelt field',
    yaml: `metadata: {name: x}\nspec: {backofLimit: 1, ${pod}}`,
    status: 400,
    says: /unknown field "spec.backofLimit"/,
  },
  {
    what: 'a misspelt field of a container',
    yaml: 'metadata: {name: x}\nspec: {template: {spec: {restartPolicy: Never, containers: [{name: a, imge: b}]}}}',
    status: 400,
    says: /unknown field "spec.template.spec.containers\[0\].imge"/,
  },
  {
    what: 'an upper-case name',
    yaml: `metadata: {name: Build}\nspec: {${pod}}`,
    status: 422,
    says: /metadata.name: Invalid value: "Build-q3bfcwzu".*RFC 1123/,
  },
  {
    what: 'a name of hyphens',
    yaml: `metadata: {generateName: "--"}\nspec: {${pod}}`,
    status: 422,
    says: /metadata.name: Invalid value/,
  },
  {
    what: 'a label that is a number',
    yaml: `metadata: {name: x, labels: {version: 1.0}}\nspec: {${pod}}`,
    status: 400,
    says: /cannot unmarshal number.*metadata.labels/,
  },
  {
    what: 'a negative clean-up time',
    yaml: `metadata: {name: x}\nspec: {ttlSecondsAfterFinished: -5, ${pod}}`,
    status: 422,
    says: /ttlSecondsAfterFinished: Invalid value: -5/,
  },
  {
    what: 'containers that are no list',
    yaml: 'metadata: {name: x}\nspec: {template: {spec: {restartPolicy: Never, containers: x}}}',
    status: 400,
    says: /cannot unmarshal string.*containers/,
  },
  {
    what: 'env that is no list',
    yaml: 'metadata: {name: x}\nspec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: b, env: {A: b}}]}}}',
    status: 400,
    says: /cannot unmarshal object.*env/,
  },
  { what: 'no spec', yaml: 'metadata: {name: x}', status: 422, says: /spec.template.spec.containers: Required value/ },
  {
    what: 'a spec that is a text',
    yaml: 'metadata: {name: x}\nspec: x',
    status: 400,
    says: /cannot unmarshal string.*spec/,
  },
];

describe('a manifest the API server does not take', () => {
  for (const { what, yaml, status, says } of refused) {
    it(`with ${what} is refused in the API server's own words`, async (t) => {
      const namespace = await testNamespace(t);
      const rendered = job.render(parseManifest(head + yaml), runIn(namespace));
      await assert.rejects(
        () => create(namespace, rendered, true),
        (error) => error instanceof ApiError && error.status === status && says.test(error.message),
      );
    });
  }
});
