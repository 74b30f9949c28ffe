// The docs say what is there: every field has its heading, every example can be applied, every link leads somewhere.
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, it } from 'node:test';
import { load, loadAll } from 'js-yaml';
import { api, testNamespace } from './env/cluster.ts';

const root = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const pages = globSync(['*.md', 'docs/**/*.md'], { cwd: root });

interface Crd {
  readonly spec: {
    readonly versions: readonly {
      readonly schema: {
        readonly openAPIV3Schema: { readonly properties: { readonly spec: { readonly properties: object } } };
      };
    }[];
  };
}

describe('docs/githook.md', () => {
  it('has one heading for each field of the spec, and none for others', () => {
    const crd = load(read('install/crds/githooks.yaml')) as Crd;
    const fields = Object.keys(crd.spec.versions[0]!.schema.openAPIV3Schema.properties.spec.properties);
    const headings = [...read('docs/githook.md').matchAll(/^### (\w+)$/gm)].map(([, heading]) => heading);
    assert.deepEqual(headings.sort(), fields.sort());
  });
});

describe('links between pages', () => {
  for (const page of pages) {
    it(`of ${page} lead to files that are there`, () => {
      const targets = [...read(page).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, target = '']) => target);
      const lost = targets.filter((target) => !existsSync(join(root, dirname(page), target)));
      assert.deepEqual(lost, []);
    });
  }
});

describe('examples', () => {
  const blocks = pages.flatMap((page) =>
    [...read(page).matchAll(/```yaml\n([^`]*?)```/g)].map(([, text = '']) => ({ page, text })),
  );
  const files = globSync('examples/**/*.yaml', { cwd: root }).map((page) => ({
    page: relative(root, join(root, page)),
    text: read(page),
  }));
  const objects = [...blocks, ...files].flatMap(({ page, text }) =>
    (loadAll(text) as unknown[]).map((object) => ({ page, object: object as Record<string, unknown> })),
  );
  const gitHooks = objects.filter(({ object }) => object?.['kind'] === 'GitHook');

  it('are there', () => {
    assert.ok(gitHooks.length >= 2);
  });

  for (const { page, object } of gitHooks) {
    it(`GitHook in ${page} is accepted by the API server`, async (t) => {
      const namespace = await testNamespace(t);
      const metadata = { ...(object['metadata'] as object), namespace };
      const path = `/apis/kubegit.appspero.com/v1alpha1/namespaces/${namespace}/githooks?dryRun=All&fieldValidation=Strict`;
      await api('POST', path, { ...object, metadata });
    });
  }

  it('Jobs are accepted by the API server', async (t) => {
    const namespace = await testNamespace(t);
    const jobs = objects.filter(({ object }) => object?.['kind'] === 'Job');
    for (const { object } of jobs) {
      const { namespace: _, ...metadata } = object['metadata'] as Record<string, unknown>;
      await api('POST', `/apis/batch/v1/namespaces/${namespace}/jobs?dryRun=All&fieldValidation=Strict`, {
        ...object,
        metadata,
      });
    }
    assert.ok(jobs.length > 0);
  });
});
