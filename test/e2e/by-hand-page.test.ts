// docs/by-hand.md from top to bottom: each of its commands is run and does what the page says.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { blocksOf } from '../env/doc-blocks.ts';
import { shell } from '../env/page.ts';
import { jobManifest, startScenario } from '../env/scenario.ts';
import { waitFor } from '../env/wait.ts';

describe('docs/by-hand.md', () => {
  it('cancels a run, runs its commit again, and runs the GitHook now', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app');
    const commit = await s.push({ 'job.yaml': jobManifest });
    const first = await s.untilRun(commit, ({ status }) => status?.phase === 'Running', 'Running');
    const follow = await shell(t, s.namespace);
    const scripts = blocksOf('by-hand.md').map(({ script }) => script);
    const [newest = '', cancel = '', wait = '', rerun = '', names = '', now = '', head = '', look = ''] = scripts;
    assert.equal(scripts.length, 8);
    const run = (script: string): Promise<string> => follow(`${newest}${script}`);
    const untilRuns = (count: number): Promise<unknown> =>
      waitFor(async () => (await s.runs()).length === count, { what: `${count} runs`, deadlineMs: 30_000 });

    await run(cancel + wait);
    await run(rerun);
    await untilRuns(2);
    assert.match(await run(names), new RegExp(` +${first.metadata.name} +`));
    await run(now);
    await untilRuns(3);
    await run(head);
    await untilRuns(4);
    const shown = async (): Promise<string> => run(look);
    await waitFor(async () => (await shown()).split('RunNowStarted').length === 3, {
      what: 'both Events',
      deadlineMs: 30_000,
    });
    const runs = await s.runs();
    assert.deepEqual(
      new Set(runs.map(({ spec }) => `${spec.ref} ${spec.commit}`)),
      new Set([`refs/heads/main ${commit}`]),
    );
  });
});
