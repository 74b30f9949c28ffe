// Against a real API server, eight days later: a clean-up that is interrupted at each of its calls, before the call, or after
// it was carried out and before anybody knew, counts every run once.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type KubeFixture, kubeFixture } from '../../../test/env/kube-fixture.ts';
import { ManualClock } from '../../../test/env/manual-clock.ts';
import { waitFor } from '../../../test/env/wait.ts';
import type { GitHook } from '../../api/githook.ts';
import type { GitHookRun } from '../../api/githookrun.ts';
import { runName } from '../../api/identity.ts';
import { gitHookType, runType } from '../../api/keys.ts';
import type { Kube } from '../../kube/kube.ts';
import { createdRuns, keptMs } from './history.ts';
import { prune } from './prune.ts';

type Context = { after(fn: () => unknown): void };

const never = new AbortController().signal;
const repository = 'https://github.com/acme/app.git';
const ref = 'refs/heads/main';

interface Ground extends KubeFixture {
  /** Eight days later. */
  readonly clock: ManualClock;
  readonly gitHook: GitHook;
  run(after: string, sequence?: number): Promise<GitHookRun>;
  runs(): Promise<readonly GitHookRun[]>;
  /** Kept runs with a resource, and those counted in their place. */
  count(): Promise<number>;
  /** As a controller that has just started: until there is nothing to do for an hour. */
  untilDone(kube?: Kube): Promise<void>;
}

async function start(t: Context): Promise<Ground> {
  const fixture = await kubeFixture(t);
  const { client, namespace } = fixture;
  const key = { namespace, name: 'app' };
  const gitHook = await client.create<GitHook>(gitHookType, {
    ...{ apiVersion: 'kubegit.appspero.com/v1alpha1', kind: 'GitHook', metadata: key },
    spec: { repository, branches: ['*'], manifest: 'job.yaml', successfulRunsHistoryLimit: 1 },
  });
  const clock = new ManualClock(Date.now() + keptMs + 3_600_000);
  const readGitHook = (): Promise<GitHook> => client.get<GitHook>(gitHookType, key);
  const runs = async () => (await client.list<GitHookRun>(runType, { namespace })).items;
  return {
    ...{ ...fixture, clock, gitHook, runs },
    run: (after, sequence = 1) => createRun(fixture, gitHook, { after, sequence }),
    count: async () => {
      const live = await readGitHook();
      return (live.status?.prunedRuns ?? 0) + createdRuns(live, await runs()).length;
    },
    untilDone: async (kube = client) => {
      for (let step = 0, again = 0; again < 3_600_000; step += 1) {
        assert.ok(step < 10, 'it never ends');
        again = await prune(await readGitHook(), await runs(), { kube, clock }, never);
      }
    },
  };
}

/** One that has succeeded. */
async function createRun(
  { client, namespace }: KubeFixture,
  gitHook: GitHook,
  { after, sequence }: { readonly after: string; readonly sequence: number },
): Promise<GitHookRun> {
  const gitHookRef = { name: 'app', uid: gitHook.metadata.uid ?? '' };
  const name = runName({ gitHook: gitHookRef, repository: 'github.com/acme/app', ref, after }, sequence);
  const run = await client.create<GitHookRun>(runType, {
    ...{ apiVersion: 'kubegit.appspero.com/v1alpha1', kind: 'GitHookRun', metadata: { name, namespace } },
    spec: {
      ...{ gitHookRef, sequence, source: 'Webhook', forge: 'github', ref, after, commit: after, repository },
      ...{ receivedTime: new Date().toISOString(), manifest: 'job.yaml' },
    },
  });
  const resource = { apiVersion: 'batch/v1', kind: 'Job', name, uid: name };
  const status = { phase: 'Succeeded', resource, handedBack: true } as const;
  return client.replace(runType, { ...run, status }, { subresource: 'status' });
}

class Crash extends Error {}

/** Ends at the nth call, before it is sent or after it was carried out. */
function crashing(kube: Kube, nth: number, when: 'before' | 'after'): { kube: Kube; crashed(): boolean } {
  let calls = 0;
  const guarded = async <T>(call: () => Promise<T>): Promise<T> => {
    calls += 1;
    if (calls === nth && when === 'before') throw new Crash();
    const answer = await call();
    if (calls === nth) throw new Crash();
    return answer;
  };
  const wrapped: Kube = {
    get: (type, key, options) => guarded(() => kube.get(type, key, options)),
    list: (type, options) => guarded(() => kube.list(type, options)),
    create: (type, object, options) => guarded(() => kube.create(type, object, options)),
    replace: (type, object, options) => guarded(() => kube.replace(type, object, options)),
    patch: (type, key, patch, options) => guarded(() => kube.patch(type, key, patch, options)),
    delete: (type, key, options) => guarded(() => kube.delete(type, key, options)),
    as: (account) => kube.as(account),
  };
  return { kube: wrapped, crashed: () => calls >= nth };
}

/** Three pushes, one of which came back once: with a limit of 1 all go but the last. */
async function fourRuns(ground: Ground): Promise<void> {
  await ground.run('a'.repeat(40));
  await ground.run('b'.repeat(40));
  await ground.run('b'.repeat(40), 2);
  // Creation times have whole seconds, and the newest is the one that stays.
  const second = Date.now() + 1000;
  await waitFor(() => Date.now() > second, { what: 'the next second' });
  await ground.run('c'.repeat(40));
}

describe('prune', () => {
  it('leaves everything while it is young', async (t) => {
    const ground = await start(t);
    await fourRuns(ground);
    const young = { ...ground, clock: new ManualClock(Date.now()) };
    assert.equal(
      await prune(ground.gitHook, await ground.runs(), { kube: ground.client, clock: young.clock }, never),
      3_600_000,
    );
    assert.equal((await ground.runs()).length, 4);
  });

  for (const when of ['before', 'after'] as const) {
    it(`counts each run once although it is killed ${when} each of its calls, again and again`, {
      timeout: 100_000,
    }, async (t) => {
      for (let nth = 1, crashed = true; crashed; nth += 1) {
        const ground = await start(t);
        await fourRuns(ground);
        for (const _ of [1, 2]) {
          const crash = crashing(ground.client, nth, when);
          await ground.untilDone(crash.kube).catch((error) => assert.ok(error instanceof Crash, String(error)));
          crashed = crash.crashed();
          assert.equal(await ground.count(), 4, `${when} call ${nth}`);
        }
        await ground.untilDone();
        assert.equal(await ground.count(), 4, `${when} call ${nth}`);
        assert.deepEqual(
          (await ground.runs()).map(({ spec }) => spec.after[0]),
          ['c'],
        );
        const { status } = await ground.client.get<GitHook>(gitHookType, { namespace: ground.namespace, name: 'app' });
        assert.deepEqual([status?.prunedRuns, status?.pruning], [3, undefined]);
      }
    });
  }

  it('counts nothing twice when it is shown runs that are long gone', async (t) => {
    const ground = await start(t);
    await fourRuns(ground);
    const old = await ground.runs();
    await ground.untilDone();
    const gitHook = await ground.client.get<GitHook>(gitHookType, { namespace: ground.namespace, name: 'app' });
    await prune(gitHook, old, { kube: ground.client, clock: ground.clock }, never);
    assert.equal(await ground.count(), 4);
  });

  it('does not strike off runs that the watch still shows', async (t) => {
    const ground = await start(t);
    await fourRuns(ground);
    const old = await ground.runs();
    const step = async () => {
      const live = await ground.client.get<GitHook>(gitHookType, { namespace: ground.namespace, name: 'app' });
      await prune(live, old, { kube: ground.client, clock: ground.clock }, never);
      return ground.client.get<GitHook>(gitHookType, { namespace: ground.namespace, name: 'app' });
    };
    await step();
    const after = await step();
    assert.equal((await ground.runs()).length, 1);
    assert.equal(after.status?.pruning?.length, 3);
    assert.equal((after.status?.prunedRuns ?? 0) + createdRuns(after, old).length, 4);
  });

  it('spares a sequence that has gone on unseen, and a new run under the name of an old one', async (t) => {
    const ground = await start(t);
    await fourRuns(ground);
    const old = await ground.runs();
    await ground.run('b'.repeat(40), 3);
    const a = old.find(({ spec }) => spec.after.startsWith('a'));
    assert.ok(a);
    await ground.client.delete(runType, { namespace: ground.namespace, name: a.metadata.name ?? '' });
    await ground.run('a'.repeat(40));
    const gitHook = await ground.client.get<GitHook>(gitHookType, { namespace: ground.namespace, name: 'app' });
    await prune(gitHook, old, { kube: ground.client, clock: ground.clock }, never);
    const named = { ...gitHook, status: { pruning: [{ name: a.metadata.name ?? '', uid: a.metadata.uid ?? '' }] } };
    await prune(named, [], { kube: ground.client, clock: ground.clock }, never);
    assert.equal((await ground.runs()).length, 5);
  });
});
