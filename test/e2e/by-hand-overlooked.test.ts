// A run that is cancelled at the very moment in which kube-git writes it itself: what it wrote must not hide the annotation.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GitHookRun } from '../../src/api/githookrun.ts';
import { isJobCreate, startApiProxy } from '../env/api-proxy.ts';
import { annotate } from '../env/by-hand.ts';
import type { FaultProxy } from '../env/proxy.ts';
import { jobManifest, type Scenario, startScenario } from '../env/scenario.ts';
import { waitFor } from '../env/wait.ts';

const isCancelled = ({ status }: GitHookRun): boolean => status?.phase === 'Failed' && status.reason === 'Cancelled';
const isRunning = ({ status }: GitHookRun): boolean => status?.phase === 'Running';

/** Resolves when kube-git's watch has shown the annotation. */
async function cancelAndSee(s: Scenario, run: GitHookRun, proxy: FaultProxy): Promise<void> {
  const annotation = { 'kubegit.appspero.com/cancel': 'yes' };
  const { metadata } = await annotate<GitHookRun>(s.namespace, 'githookruns', run.metadata.name, annotation);
  const isShown = (): boolean =>
    proxy.log.some(
      ({ query, answer }) => query.has('watch') && answer.includes(`"resourceVersion":"${metadata.resourceVersion}"`),
    );
  await waitFor(isShown, { what: 'the watch to show the annotation' });
}

describe('a run that is cancelled', () => {
  it('while kube-git waits for the answer to what it wrote itself is not overlooked', async (t) => {
    const proxy = await startApiProxy(t);
    const s = await startScenario(t, { master: proxy.url });
    // Nobody to be told: that would be a write, which finds out.
    await s.gitHook('app', { notification: {} });
    let release = (): void => {};
    const until = new Promise<void>((resolve) => {
      release = resolve;
    });
    let isCreated = false;
    let isHeld = false;
    proxy.rule(({ method, path }) => {
      isCreated ||= isJobCreate({ method, path });
      if (isHeld || !isCreated || method !== 'PUT' || !/\/githookruns\/[^/]+\/status$/.test(path)) return undefined;
      isHeld = true;
      return { kind: 'holdAnswer', until };
    });
    const commit = await s.push({ 'job.yaml': jobManifest });
    // Stored, and shown to everybody but kube-git, which waits.
    const run = await s.untilRun(commit, isRunning, 'Running');
    await cancelAndSee(s, run, proxy);
    release();
    await s.untilRun(commit, isCancelled, 'cancelled');
  });

  it('while kube-git is about to write down whom it has told is not overlooked', async (t) => {
    const proxy = await startApiProxy(t);
    const s = await startScenario(t, { master: proxy.url });
    await s.gitHook('app', { notification: { github: 'forge' } });
    const { promise: until, resolve: release } = Promise.withResolvers<void>();
    let writes = 0;
    // The third write, after Creating and Running, says that the start was told; it is made of the run as it was then.
    proxy.rule(({ method, path }) => {
      const isStatus = method === 'PUT' && /\/githookruns\/[^/]+\/status$/.test(path);
      return isStatus && ++writes === 3 ? { kind: 'hold', until } : undefined;
    });
    // Nothing calls for a Job that is suspended.
    const commit = await s.push({ 'job.yaml': jobManifest.replace('spec:\n', 'spec:\n  suspend: true\n') });
    const run = await s.untilRun(commit, ({ status }) => status?.reason === 'Suspended', 'suspended');
    await waitFor(() => writes === 3, { what: 'the start to be told' });
    assert.deepEqual(
      s.forge.statuses.map(({ state }) => state),
      ['pending'],
    );
    await cancelAndSee(s, run, proxy);
    release();
    await s.untilRun(commit, isCancelled, 'cancelled');
  });
});
