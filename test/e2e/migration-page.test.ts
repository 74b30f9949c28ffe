// docs/migration.md, "Changed on purpose": each change says the same four things, and the ways back that other tests do not
// go are gone here. The commands of the page are run by test/install-docs.test.ts.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { api } from '../env/cluster.ts';
import { jobManifest, type Scenario, startScenario } from '../env/scenario.ts';
import { waitFor } from '../env/wait.ts';

const page = await readFile(join(import.meta.dirname, '../../docs/migration.md'), 'utf8');
const [, changes = ''] = page.split('\n## Changed on purpose\n');
const sections = changes.split('\n### ').slice(1);

const type = '/apis/kubegit.appspero.com/v1alpha1';
const old = 'kube-git/build';
const contexts = ({ forge }: Scenario): string[] => forge.statuses.map(({ context }) => context ?? '');

async function isTaken(s: Scenario, name: string): Promise<boolean> {
  const { status } = await s.readGitHook(name);
  return status?.conditions?.some(({ type, reason }) => type === 'Stalled' && reason === 'ContextTaken') ?? false;
}

describe('a change on purpose', () => {
  it('is one of at least 14', () => assert.ok(sections.length >= 14, `${sections.length}`));

  for (const section of sections) {
    it(`says what was and is, what to do and how to go back: ${section.split('\n')[0]}`, () => {
      assert.match(section, /\nWas: .*Now:\s.*\. \*\*Do:\*\*\s.*\*\*Back:\*\*\s./s);
    });
  }
});

describe('the way back', () => {
  it('-status-context gives all commit statuses the context of 2019, of one GitHook a repository', async (t) => {
    assert.ok(changes.includes(`\`-status-context=${old}\``));
    const s = await startScenario(t, { args: [`-status-context=${old}`] });
    for (const name of ['one', 'two']) await s.gitHook(name);
    // Made within a second, either counts as the older.
    const taken = async () => (await Promise.all(['one', 'two'].map((name) => isTaken(s, name)))).filter(Boolean);
    await waitFor(async () => (await taken()).length === 1, { what: 'ContextTaken', deadlineMs: 20_000 });
    await s.push({ 'job.yaml': jobManifest });
    await waitFor(async () => (await s.jobs()).length === 2 && s.forge.messages.length === 2, { what: 'both to run' });
    await waitFor(() => s.forge.statuses.length > 0, { what: 'the status' });
    assert.deepEqual(contexts(s), [old]);
  });

  it('spec.notification.context does so for one GitHook', async (t) => {
    assert.ok(changes.includes(`\`spec.notification.context: ${old}\``));
    const s = await startScenario(t);
    await s.gitHook('as-then', { notification: { github: 'forge', context: old } });
    await s.gitHook('as-now', { notification: { github: 'forge' } });
    await s.push({ 'job.yaml': jobManifest });
    await waitFor(() => s.forge.statuses.length === 2, { what: 'both statuses' });
    assert.deepEqual(contexts(s).sort(), [old, `kube-git/${s.namespace}/as-now`].sort());
  });

  it('--cascade=orphan leaves the run and its Job, whose end is told', async (t) => {
    assert.match(changes, /`kubectl delete githook NAME --cascade=orphan`/);
    const s = await startScenario(t);
    await s.gitHook('app');
    const commit = await s.push({ 'job.yaml': jobManifest });
    const { status } = await s.untilRun(commit, (one) => one.status?.phase === 'Running', 'Running');
    await api('DELETE', `${type}/namespaces/${s.namespace}/githooks/app?propagationPolicy=Orphan`);
    const isAlone = async (): Promise<boolean> =>
      (await s.runs()).every(({ metadata }) => (metadata.ownerReferences ?? []).length === 0);
    await waitFor(isAlone, { what: 'the run to lose its owner', deadlineMs: 30_000 });
    await s.endJob(status?.resource?.name ?? '', 'Succeeded');
    await s.untilRun(commit, (one) => one.status?.phase === 'Succeeded', 'Succeeded');
    await waitFor(() => s.forge.statuses.at(-1)?.state === 'success', { what: 'the end to be told' });
    assert.equal((await s.jobs()).length, 1);
  });
});
