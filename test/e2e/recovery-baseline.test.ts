// What is remembered of a repository's refs, so that a push is found although nobody told of it, and nothing else is.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startApiProxy } from '../env/api-proxy.ts';
import {
  baselines,
  type ConfigMap,
  files,
  found,
  patch,
  silently,
  start,
  untilAllLooked,
  waitForLooks,
} from '../env/recovery.ts';
import { waitFor } from '../env/wait.ts';

describe('the baseline', () => {
  it('is kept over a restart: what was pushed meanwhile is run, and nothing else', async (t) => {
    const s = await start(t);
    await s.repository.commit({ README: 'other' }, { branch: 'other' });
    await waitFor(async () => (await s.runs()).length === 1, { what: 'other to be found', deadlineMs: 20_000 });
    await s.kubeGit.kill();
    const commit = await silently(s);
    await s.restart();
    await found(s, commit);
    await untilAllLooked(s);
    assert.equal((await s.runs()).length, 3);
  });

  it('is taken anew for another repository, and a change of patterns starts nothing', async (t) => {
    const s = await start(t, { spec: { branches: ['main'] } });
    const other = await s.forge.createRepository('acme/other');
    await other.commit(files);
    await s.repository.commit(files, { branch: 'dev' });
    const written = (): Promise<string> => baselines(s).then(([one]) => one?.data['repository'] ?? '');
    const branches = (): Promise<string> => baselines(s).then(([one]) => one?.data['branches'] ?? '');
    await patch(s, { branches: ['main', 'dev', 'marker-*'] });
    await waitFor(async () => (await branches()).includes('dev'), { what: 'the patterns in the baseline' });
    await untilAllLooked(s);
    await patch(s, { repository: other.url });
    await waitFor(async () => (await written()).endsWith('/acme/other'), { what: 'the new baseline' });
    await other.commit({ ...files, README: 'x' }, { branch: 'marker-other' });
    await waitFor(async () => (await s.runs()).length > 1, { what: 'the marker', deadlineMs: 20_000 });
    assert.deepEqual((await s.runs()).map(({ spec }) => spec.ref.replace(/\d+$/, '')).sort(), [
      'refs/heads/marker-',
      'refs/heads/marker-other',
    ]);
  });

  it('is written only after the run: killed between the two, there is one run', async (t) => {
    const proxy = await startApiProxy(t);
    const s = await start(t, { master: proxy.url });
    let stop = true;
    proxy.rule(({ method, path }) =>
      stop && method === 'PUT' && path.includes('/configmaps/') ? { kind: 'answer', status: 503 } : undefined,
    );
    const commit = await silently(s);
    await found(s, commit);
    await s.kubeGit.kill();
    stop = false;
    await s.restart();
    await untilAllLooked(s);
    assert.equal((await s.runs()).filter(({ spec }) => spec.commit === commit).length, 1);
  });

  it('is one ConfigMap owned by the GitHook, and nothing is written while nothing moves', async (t) => {
    const proxy = await startApiProxy(t);
    const s = await start(t, { master: proxy.url });
    await untilAllLooked(s);
    const quiet = waitForLooks(proxy, 3);
    await quiet;
    const from = proxy.log.length;
    await waitForLooks(proxy, 3);
    const writes = proxy.log.slice(from).filter(({ method }) => method !== 'GET');
    assert.deepEqual(
      writes.map(({ method, path }) => `${method} ${path}`).filter((call) => !call.includes('/leases/')),
      [],
    );
    const [{ metadata }, ...others] = (await baselines(s)) as [ConfigMap, ...ConfigMap[]];
    const { uid } = (await s.readGitHook('app')).metadata;
    assert.deepEqual([others.length, metadata.ownerReferences[0]?.uid], [0, uid]);
  });
});
