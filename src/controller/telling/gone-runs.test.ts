import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ManualClock } from '../../../test/env/manual-clock.ts';
import type { GitHook } from '../../api/githook.ts';
import type { GitHookRun, GitHookRunStatus } from '../../api/githookrun.ts';
import { repositoryOf } from '../../api/repository.ts';
import { createLog } from '../../log.ts';
import { RunIndex } from '../run-index.ts';
import { GoneRuns } from './gone-runs.ts';
import { withSink } from './sinks.ts';

const hourMs = 3_600_000;
const log = createLog('error', () => []);
const slack = { type: 'slack', name: 'team' };
const github = { type: 'github', name: 'ci' };
const repository = 'https://github.com/acme/app.git';

function hook(name: string, uid: string, context?: string): GitHook {
  return {
    ...{ apiVersion: 'kubegit.appspero.com/v1alpha1', kind: 'GitHook', metadata: { namespace: 'ci', name, uid } },
    spec: {
      ...{ repository, branches: ['*'], manifest: 'job.yaml' },
      notification: { github: 'ci', ...(context && { context }) },
    },
  };
}

function start(gitHooks: readonly GitHook[] = [hook('app', 'u')]) {
  const clock = new ManualClock();
  const index = new RunIndex();
  const announced: GitHookRun[] = [];
  const gone = new GoneRuns({
    ...{ clock, log, index, statusContext: '' },
    announce: { ended: (run) => announced.push(run) },
    gitHooks: {
      get: (key) => gitHooks.find(({ metadata }) => `ci/${metadata.name}` === key),
      byIndex: (repository) => gitHooks.filter((one) => repositoryOf(one) === repository),
    },
  });
  const run = (
    name: string,
    status: GitHookRunStatus | undefined,
    spec: Partial<GitHookRun['spec']> = {},
  ): GitHookRun => ({
    ...{
      apiVersion: 'kubegit.appspero.com/v1alpha1',
      kind: 'GitHookRun',
      metadata: { namespace: 'ci', name, uid: name },
    },
    spec: {
      ...{
        gitHookRef: { name: 'app', uid: 'u' },
        sequence: 1,
        source: 'Webhook',
        forge: 'github',
        ref: 'refs/heads/main',
      },
      ...{ after: 'a', commit: 'a', repository, manifest: 'job.yaml', notification: { github: 'ci', slack: 'team' } },
      receivedTime: new Date(clock.now()).toISOString(),
      ...spec,
    },
    ...(status && { status }),
  });
  return { clock, index, gone, announced, run };
}

const wishes = (run: GitHookRun | undefined): unknown =>
  run?.status?.sinks?.map(({ type, desired }) => [type, desired]);
const running: GitHookRunStatus = {
  phase: 'Running',
  resource: { apiVersion: 'batch/v1', kind: 'Job', name: 'x', uid: 'x' },
};

describe('GoneRuns', () => {
  it('has the end of a run that goes on told as an error, and announces it', () => {
    const { gone, announced, run } = start();
    const left = gone.add(run('r', running));
    assert.equal(left?.key, 'ci/r@r');
    assert.deepEqual(wishes(left?.run), [
      ['github', 'Error'],
      ['slack', 'Error'],
    ]);
    assert.deepEqual([left?.run.status?.phase, left?.run.status?.reason], ['Failed', 'Cancelled']);
    assert.equal(announced.length, 1);
  });

  const silent: [string, (run: ReturnType<typeof start>['run']) => GitHookRun][] = [
    [
      'has ended and was told',
      (run) => run('r', { phase: 'Succeeded', sinks: [{ ...slack, desired: 'Succeeded', told: 'Succeeded' }] }),
    ],
    ['was skipped', (run) => run('r', { phase: 'Skipped', sinks: [slack] })],
    ['would have been skipped', (run) => run('r', undefined, { suspend: true })],
    [
      'came from a backup and was not looked at',
      (run) => run('r', undefined, { receivedTime: '2026-11-22T10:59:00Z' }),
    ],
  ];
  for (const [name, make] of silent) {
    it(`has nothing to say of a run that ${name}`, () => {
      const { gone, announced, run } = start();
      assert.equal(gone.add(make(run)), undefined);
      assert.equal(announced.length, 0);
    });
  }

  it('keeps a run until all have heard of it', async () => {
    const { gone, run } = start();
    const { key = '' } = gone.add(run('r', running)) ?? {};
    const hear = (sink: typeof slack) =>
      gone.update(key, (now) => withSink(now, { ...sink, desired: 'Error', told: 'Error' }));
    await hear(slack);
    assert.ok(await gone.read(key));
    await hear(github);
    assert.equal(await gone.read(key), undefined);
    assert.deepEqual(gone.list(), []);
  });

  it('gives up after a day, and on the oldest of more than a thousand', async () => {
    const { clock, gone, run } = start();
    const { key = '' } = gone.add(run('first', running)) ?? {};
    await clock.advance(24 * hourMs - 1);
    assert.ok(await gone.read(key));
    await clock.advance(1);
    assert.equal(await gone.read(key), undefined);
    for (let number = 0; number <= 1000; number += 1) gone.add(run(`r${number}`, running));
    assert.equal(gone.list().length, 1000);
    assert.equal(await gone.read('ci/r0@r0'), undefined);
    assert.ok(await gone.read('ci/r1000@r1000'));
  });

  const spoken: GitHookRunStatus = { ...running, sinks: [{ ...github, desired: 'Started', told: 'Started' }] };

  it('leaves the commit status to another run of the GitHook and commit, which sets it again', () => {
    const { gone, index, run } = start();
    index.set(run('other', spoken));
    const left = gone.add(run('r', running));
    assert.deepEqual(wishes(left?.run), [
      ['github', 'Superseded'],
      ['slack', 'Error'],
    ]);
    assert.equal(left?.heir?.run.metadata.name, 'other');
  });

  for (const [name, other, word] of [
    [
      'leaves it to a run of another GitHook that has the same context',
      hook('other', 'v', 'kube-git/ci/app'),
      'Superseded',
    ],
    ['does not leave it to one that has a context of its own', hook('other', 'v'), 'Error'],
  ] as const) {
    it(name, () => {
      const { gone, index, run } = start([other]);
      index.set(run('other', spoken, { gitHookRef: { name: 'other', uid: 'v' } }));
      const left = gone.add(run('r', running));
      assert.deepEqual(wishes(left?.run), [
        ['github', word],
        ['slack', 'Error'],
      ]);
      assert.equal(left?.heir, undefined);
    });
  }

  it('does not leave it to a run of a GitHook that is gone, too, nor of another commit', () => {
    const { gone, index, run } = start([]);
    index.set(run('other', spoken));
    assert.deepEqual(wishes(gone.add(run('r', running))?.run), [
      ['github', 'Error'],
      ['slack', 'Error'],
    ]);
    const live = start();
    live.index.set(live.run('other', spoken, { commit: 'b' }));
    assert.deepEqual(wishes(live.gone.add(live.run('r', running))?.run), [
      ['github', 'Error'],
      ['slack', 'Error'],
    ]);
  });
});
