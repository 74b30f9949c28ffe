// A GitHook whose changes the watch does not show: kube-git must not need to hear of its own writes.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { GitHook } from '../../src/api/githook.ts';
import { startApiProxy } from '../env/api-proxy.ts';
import { jobManifest, startScenario } from '../env/scenario.ts';
import { waitFor } from '../env/wait.ts';

it('the status of a GitHook goes on where the watch loses its changes', async (t) => {
  const proxy = await startApiProxy(t);
  let isLosing = false;
  proxy.rule(({ path, query }) =>
    path.endsWith('/githooks') && query.has('watch')
      ? { kind: 'lines', line: (line) => (isLosing && line.startsWith('{"type":"MODIFIED"') ? [] : [line]) }
      : undefined,
  );
  const s = await startScenario(t, { master: proxy.url });
  await s.gitHook('app');
  isLosing = true;
  for (const count of [1, 2]) {
    const commit = await s.push({ 'job.yaml': jobManifest, README: `${count}` });
    const named = async (): Promise<GitHook | undefined> => {
      const gitHook = await s.readGitHook('app');
      return gitHook.status?.lastCommit === commit ? gitHook : undefined;
    };
    const { status } = await waitFor(named, { what: 'the GitHook to name its last commit' });
    assert.equal(status?.triggerCount, count);
  }
});
