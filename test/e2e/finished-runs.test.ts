// Runs that are finished and told cost a kube-git that starts nothing but their place in a list: thousands of them must not stand
// before the one that is new.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GitHookRun } from '../../src/api/githookrun.ts';
import { startApiProxy } from '../env/api-proxy.ts';
import { jobManifest, startScenario } from '../env/scenario.ts';
import { waitFor } from '../env/wait.ts';

const runs = 5;

const isDone = ({ status }: GitHookRun): boolean =>
  status?.handedBack === true && status.sinks?.every(({ told }) => told === 'Succeeded') === true;

describe('finished runs', () => {
  it('are not read again at the start, also where their Jobs are known before them', async (t) => {
    const proxy = await startApiProxy(t);
    const s = await startScenario(t, { master: proxy.url });
    await s.gitHook('app');
    const names: string[] = [];
    for (let n = 0; n < runs; n++) {
      const commit = await s.push({ 'job.yaml': jobManifest, README: `${n}` });
      const { status } = await s.untilRun(commit, (run) => run.status?.phase === 'Running', 'running');
      await s.endJob(status?.resource?.name ?? '', 'Succeeded');
      names.push((await s.untilRun(commit, isDone, 'told and done')).metadata.name ?? '');
    }
    await s.kubeGit.stop('SIGTERM');
    const before = proxy.log.length;
    const isList = (kind: string, { method, path }: { method: string; path: string }): boolean =>
      method === 'GET' && path.endsWith(`/${kind}`);
    const jobsListed = waitFor(
      () => proxy.log.slice(before).some((entry) => isList('jobs', entry) && entry.done && entry.status === 200),
      { what: 'the Jobs to be listed' },
    );
    proxy.rule((request) =>
      isList('githookruns', request) && !request.query.has('watch') ? { kind: 'hold', until: jobsListed } : undefined,
    );
    await s.restart({ master: proxy.url });
    await jobsListed;
    const commit = await s.push({ 'job.yaml': jobManifest, README: 'the new one' });
    await s.untilRun(commit, (run) => run.status?.phase === 'Running', 'running');
    const read = proxy.log
      .slice(before)
      .filter(({ method, path }) => method === 'GET' && names.some((name) => path.endsWith(`/githookruns/${name}`)));
    assert.deepEqual(
      read.map(({ path }) => path),
      [],
    );
  });

  it('keep who wrote what, though kube-git does not keep that in memory', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app');
    const commit = await s.push({ 'job.yaml': jobManifest });
    const { status } = await s.untilRun(commit, (run) => run.status?.phase === 'Running', 'running');
    await s.endJob(status?.resource?.name ?? '', 'Succeeded');
    const { metadata } = await s.untilRun(commit, isDone, 'told and done');
    const { managedFields = [] } = metadata as {
      readonly managedFields?: readonly { readonly subresource?: string }[];
    };
    assert.deepEqual(managedFields.map(({ subresource = 'main' }) => subresource).sort(), ['main', 'status']);
  });
});
