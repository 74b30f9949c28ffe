import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GitHook, GitHookStatus } from '../../api/githook.ts';
import type { GitHookRun, GitHookRunStatus } from '../../api/githookrun.ts';
import { gitHookStatus } from './githook-status.ts';

const now = '2026-01-01T00:00:00Z';
const spec = { repository: 'https://github.com/acme/app.git', branches: ['main'], manifest: 'job.yaml' };

function gitHook(fields: Partial<GitHook['spec']> = {}, status?: GitHookStatus): GitHook {
  return {
    apiVersion: 'kubegit.appspero.com/v1alpha1',
    kind: 'GitHook',
    metadata: { name: 'app', namespace: 'ci', uid: 'u', generation: 3 },
    spec: { ...spec, ...fields },
    ...(status && { status }),
  };
}

function run(status: GitHookRunStatus, fields: Partial<GitHookRun['spec']> = {}): GitHookRun {
  return {
    apiVersion: 'kubegit.appspero.com/v1alpha1',
    kind: 'GitHookRun',
    metadata: { name: 'app-1', namespace: 'ci' },
    spec: {
      gitHookRef: { name: 'app', uid: 'u' },
      ...{ sequence: 1, source: 'Webhook', forge: 'github', receivedTime: now, ref: 'refs/heads/main' },
      ...{
        after: 'a'.repeat(40),
        commit: 'a'.repeat(40),
        author: 'Ada',
        repository: spec.repository,
        manifest: spec.manifest,
      },
      ...fields,
    },
    status,
  };
}

const created = (name: string, startTime: string): GitHookRunStatus => ({
  phase: 'Running',
  resource: { apiVersion: 'batch/v1', kind: 'Job', name, uid: name },
  startTime,
});

const condition = (status: GitHookStatus, type: string) => status.conditions?.find((one) => one.type === type);

describe('gitHookStatus', () => {
  it('of a GitHook without runs is Ready and has no last commit', () => {
    const status = gitHookStatus(gitHook(), { runs: [], problem: undefined }, now);
    assert.equal(condition(status, 'Ready')?.status, 'True');
    assert.equal(condition(status, 'Stalled')?.status, 'False');
    assert.equal(status.observedGeneration, 3);
    assert.equal(status.triggerCount, 0);
    assert.equal(status.lastCommit, undefined);
  });

  it('shows the resource that was created last, whatever the order of the runs', () => {
    const runs = [
      run({ phase: 'Pending' }),
      run(created('old', '2026-01-01T00:00:01Z')),
      run(created('new', '2026-01-01T00:00:02Z')),
    ];
    const status = gitHookStatus(gitHook(), { runs, problem: undefined }, now);
    assert.deepEqual(status.appliedResource, { apiVersion: 'batch/v1', kind: 'Job', namespace: 'ci', name: 'new' });
    assert.equal(status.lastTrigger, '2026-01-01T00:00:02Z');
    assert.equal(status.triggerCount, 2);
    assert.equal(status.author, 'Ada');
  });

  it('goes on counting where the 2019 program stopped', () => {
    const first = gitHookStatus(
      gitHook({}, { triggerCount: 7 }),
      { runs: [run(created('x', now))], problem: undefined },
      now,
    );
    assert.equal(first.triggerCount, 8);
    const second = gitHookStatus(
      gitHook({}, first),
      { runs: [run(created('x', now)), run(created('y', now))], problem: undefined },
      now,
    );
    assert.equal(second.triggerCount, 9);
  });

  it('is the same again when nothing changed', () => {
    const facts = { runs: [run(created('x', now))], problem: undefined };
    const first = gitHookStatus(gitHook(), facts, now);
    assert.deepEqual(gitHookStatus(gitHook({}, first), facts, '2026-02-02T00:00:00Z'), first);
  });

  const failedRun = { phase: 'Failed', reason: 'AuthenticationFailed', message: 'wrong password' } as const;
  const stalled = { reason: 'NotificationNotFound', message: 'no entry' };
  const refused: GitHookRunStatus = {
    ...created('x', now),
    sinks: [{ type: 'github', name: 'acme', desired: 'Started', lastError: 'NotificationUnauthorized: bad token' }],
  };
  const cases: [string, GitHook, GitHookRun[], typeof stalled | undefined, string, string][] = [
    [
      'the newest push could not start',
      gitHook(),
      [run(failedRun)],
      undefined,
      'False AuthenticationFailed',
      'False NothingToDo',
    ],
    [
      'the newest push lacked a right, which is asked for elsewhere and there now',
      gitHook(),
      [run({ ...failedRun, reason: 'NoPermission' })],
      undefined,
      'True Listening',
      'False NothingToDo',
    ],
    [
      'the spec was mended since',
      gitHook({ passwordSecret: { name: 'a', key: 'b' } }),
      [run(failedRun)],
      undefined,
      'True Listening',
      'False NothingToDo',
    ],
    [
      "the Job failed, which is not the GitHook's fault",
      gitHook(),
      [run({ ...created('x', now), phase: 'Failed' })],
      undefined,
      'True Listening',
      'False NothingToDo',
    ],
    [
      'it waits for an unreachable host',
      gitHook(),
      [run({ phase: 'Pending', reason: 'RepositoryUnreachable' })],
      undefined,
      'False RepositoryUnreachable',
      'False NothingToDo',
    ],
    ['it is suspended', gitHook({ suspend: true }), [], undefined, 'False Suspended', 'False NothingToDo'],
    ['an entry is missing', gitHook(), [], stalled, 'False NotificationNotFound', 'True NotificationNotFound'],
    [
      'a sink refuses',
      gitHook(),
      [run(refused)],
      undefined,
      'False NotificationUnauthorized',
      'True NotificationUnauthorized',
    ],
  ];
  for (const [name, hook, runs, problem, ready, stalledNow] of cases) {
    it(`${name}: Ready ${ready}, Stalled ${stalledNow}`, () => {
      const status = gitHookStatus(hook, { runs, problem }, now);
      const text = (type: string): string => `${condition(status, type)?.status} ${condition(status, type)?.reason}`;
      assert.deepEqual([text('Ready'), text('Stalled')], [ready, stalledNow]);
    });
  }
});

describe('the first status of a GitHook that came with the annotation run-now', () => {
  it('takes the value for answered; later statuses keep what was answered last', () => {
    const first = gitHookStatus(gitHook(), { runs: [], problem: undefined, cameWith: 'main 1' }, now);
    assert.equal(first.handledRun, 'main 1');
    const later = gitHookStatus(gitHook({}, { ...first, handledRun: 'main 2' }), { runs: [], problem: undefined }, now);
    assert.equal(later.handledRun, 'main 2');
  });
});

describe('a GitHook whose newest run was cancelled before anything was created', () => {
  it('is Ready: nothing is wrong with it', () => {
    const cancelled = run({ phase: 'Failed', reason: 'Cancelled', message: 'Cancelled by hand.' });
    const status = gitHookStatus(gitHook(), { runs: [cancelled], problem: undefined }, now);
    assert.equal(condition(status, 'Ready')?.status, 'True');
  });
});
