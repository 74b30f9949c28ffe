// Many pushes at once, and many GitHooks for each: every one runs once.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { jobsCreated, startApiProxy } from '../env/api-proxy.ts';
import { jobManifest, startScenario } from '../env/scenario.ts';
import { waitFor } from '../env/wait.ts';

const gitHooks = 4;
const pushes = 8;

describe('many pushes at once', () => {
  it(`${pushes} to ${gitHooks} GitHooks, each delivered twice, run ${gitHooks * pushes} Jobs`, async (t) => {
    const proxy = await startApiProxy(t);
    const s = await startScenario(t, { master: proxy.url });
    for (let n = 1; n <= gitHooks; n++) await s.gitHook(`app-${n}`);
    const changes = [];
    for (let n = 1; n <= pushes; n++) {
      const after = await s.repository.commit({ 'job.yaml': jobManifest, README: `${n}` }, { branch: `b${n}` });
      changes.push({ repository: s.repository.name, ref: `refs/heads/b${n}`, before: '0'.repeat(40), after });
    }
    await Promise.all(changes.map((change) => s.forge.announce(change)));
    const told = s.forge.deliveries.slice(-pushes);
    assert.deepEqual(new Set(told.map(({ answer }) => answer?.status)), new Set([202]));
    const again = await Promise.all(told.map(({ id }) => s.forge.redeliver(id)));
    assert.deepEqual(new Set(again.map(({ answer }) => answer?.status)), new Set([202]));

    const wanted = gitHooks * pushes;
    const allRun = async (): Promise<boolean> =>
      (await s.runs()).filter(({ status }) => status?.phase === 'Running').length === wanted;
    await waitFor(allRun, { what: 'all to run', deadlineMs: 90_000, everyMs: 500 });
    await waitFor(() => s.forge.statuses.length >= wanted && s.forge.messages.length >= wanted, {
      what: 'all starts to be told',
      deadlineMs: 30_000,
    });
    assert.equal((await s.runs()).length, wanted);
    assert.equal((await s.jobs()).length, wanted);
    assert.equal(jobsCreated(proxy), wanted);
    assert.equal(s.forge.statuses.length, wanted);
    assert.equal(s.forge.messages.length, wanted);
  });
});
