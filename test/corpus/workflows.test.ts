// Manifests nobody here wrote, each as it is in its repository. testdata/outcomes.json says of every file that is not created
// under both sorts of Argo's CRDs how it ends; a new version of Argo or Kubernetes may add to it.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { argoVersion } from '../env/argo/programs.ts';
import { startOwnControlPlane } from '../env/cluster.ts';
import { installCrds } from '../env/crds.ts';
import { type Collection, collections, programSources, type Sources } from './collections.ts';
import { outcome, type Planes, renderedAsExpected } from './outcome.ts';
import outcomes from './testdata/outcomes.json' with { type: 'json' };

const skip =
  process.env['KUBEGIT_TEST_CORPUS'] === '1'
    ? false
    : 'needs Go and the sources of Argo Workflows and Kubernetes (60 MB): set KUBEGIT_TEST_CORPUS=1 to run it';

/** kubectl is what takes the time: a tenth of a second a file. */
const atOnce = 2;

/** Number of files, number of those that are created, and how each of the others ends. */
async function summary({ folder, files }: Collection, planes: Planes) {
  const ends: { readonly file: string; readonly end: string }[] = [];
  const left = [...files];
  const work = async (): Promise<void> => {
    for (let file = left.shift(); file !== undefined; file = left.shift()) {
      ends.push({ file, end: await outcome(join(folder, file), planes) });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  const sorted = ends.sort((one, other) => (one.file < other.file ? -1 : 1));
  const { created = [], ...others } = Object.groupBy(sorted, ({ end }) => end);
  const named = Object.entries(others).map(([end, list = []]) => [end, list.map(({ file }) => file)]);
  return { files: files.length, created: created.length, others: Object.fromEntries(named) };
}

describe('manifests nobody here wrote', { skip, timeout: 900_000 }, () => {
  let sources: Sources;
  let planes: Planes;
  const endings: (() => unknown)[] = [];
  before(async () => {
    sources = await programSources();
    const own = { after: (end: () => unknown) => endings.push(end) };
    planes = { minimal: await startOwnControlPlane(own), full: await startOwnControlPlane(own) };
    for (const crds of ['minimal', 'full'] as const) {
      await installCrds(planes[crds], join(sources.argo, 'manifests/base/crds', crds));
    }
  });
  after(async () => {
    for (const end of endings) await end();
  });

  it('are all in the table', () => {
    assert.deepEqual(
      collections(sources).map(({ name }) => name),
      Object.keys(outcomes),
    );
  });

  for (const [name, { files, created, others }] of Object.entries(outcomes)) {
    it(`${name}: ${created} of ${files} are created with no field lost or changed, the others end as said`, async () => {
      const collection = collections(sources).find((one) => one.name === name);
      assert.ok(collection);
      assert.deepEqual(await summary(collection, planes), { files, created, others });
    });
  }

  it('a Job that has every field there is keeps each of them, as kubectl reads it', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'kube-git-corpus-'));
    t.after(() => rm(folder, { recursive: true }));
    const text = await readFile(join(sources.types, 'testdata/HEAD/batch.v1.Job.yaml'), 'utf8');
    // What kube-git refuses, and the namespace, which is another.
    const refused =
      /^ {2}(?:(?:finalizers|ownerReferences):\n(?: {2}[- ] .*\n)+|(?:namespace|resourceVersion): .*\n)/gm;
    await writeFile(join(folder, 'job.yaml'), text.replace(refused, ''));
    const rendered = await renderedAsExpected(join(folder, 'job.yaml'), planes);
    assert.ok(JSON.stringify(rendered).length > 15_000);
  });
});

describe('docs/argo.md', () => {
  it('gives the figures of the table', async () => {
    const { files, created, others } = outcomes['the examples of Argo Workflows'];
    const refusedByFull = Object.entries(others)
      .filter(([end]) => end.startsWith('created; '))
      .flatMap(([, list]) => list);
    const page = await readFile(join(import.meta.dirname, '../../docs/argo.md'), 'utf8');
    const workflows = created + refusedByFull.length;
    assert.ok(page.includes(`Argo Workflows ${argoVersion} go through`));
    assert.ok(page.includes(`of ${files} files ${workflows} are one Workflow each`));
    assert.ok(page.includes(`The other ${files - workflows} files`));
    assert.deepEqual(refusedByFull, ['memoize-simple.yaml']);
  });
});
