import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GitHook } from '../../api/githook.ts';
import type { GitHookRun, GitHookRunStatus } from '../../api/githookrun.ts';
import { beyondLimits, keptMs } from './history.ts';

const hourMs = 3_600_000;
const now = Date.parse('2026-11-22T12:00:00Z');
const ago = (ms: number): string => new Date(now - ms).toISOString();

function gitHook(limits: Partial<GitHook['spec']>): GitHook {
  return {
    ...{ apiVersion: 'kubegit.appspero.com/v1alpha1', kind: 'GitHook', metadata: { name: 'app' } },
    spec: { repository: 'https://github.com/acme/app.git', branches: ['*'], manifest: 'job.yaml', ...limits },
  };
}

interface Fields {
  /** Hours since it became past; negative while it is not. */
  readonly past?: number;
  /** Hours since its end became past. */
  readonly endPast?: number;
  readonly after?: string;
  readonly sequence?: number;
  readonly manual?: boolean;
  readonly status?: GitHookRunStatus;
}

function run(
  name: string,
  { past = 1, endPast = past, after = name, sequence = 1, manual, status }: Fields,
): GitHookRun {
  return {
    ...{ apiVersion: 'kubegit.appspero.com/v1alpha1', kind: 'GitHookRun' },
    metadata: { namespace: 'ci', name, uid: name, creationTimestamp: ago(keptMs + past * hourMs) },
    spec: {
      gitHookRef: { name: 'app', uid: 'u' },
      ...{
        sequence,
        source: manual ? 'Manual' : 'Webhook',
        forge: 'github',
        receivedTime: ago(0),
        ref: 'refs/heads/main',
      },
      ...{ after, commit: after, repository: 'https://github.com/acme/app.git', manifest: 'job.yaml' },
    },
    status: { phase: 'Succeeded', completionTime: ago(keptMs + endPast * hourMs), ...status },
  };
}

/** The names of what goes, in its order. */
function gone(limits: Partial<GitHook['spec']>, runs: readonly GitHookRun[]): string[] {
  return beyondLimits(gitHook(limits), runs, now).map((sequence) => sequence.map((one) => one.metadata.name).join('+'));
}

const none = { successfulRunsHistoryLimit: 0, failedRunsHistoryLimit: 0 };
const failed: GitHookRunStatus = { phase: 'Failed' };
const sinks = (sink: object): GitHookRunStatus => ({ sinks: [{ type: 'slack', name: 'team', ...sink }] });

describe('beyondLimits', () => {
  it('is the oldest beyond ten of each kind by default', () => {
    const runs = Array.from({ length: 12 }, (_, index) => [
      run(`s${index}`, { past: index + 1 }),
      run(`f${index}`, { past: index + 1, status: failed }),
    ]).flat();
    assert.deepEqual(gone({}, runs).toSorted(), ['f10', 'f11', 's10', 's11']);
    assert.deepEqual(gone({ failedRunsHistoryLimit: 12 }, runs), ['s11', 's10']);
  });

  it('counts a skipped run with those that succeeded', () => {
    const runs = [run('skipped', { past: 1, status: { phase: 'Skipped' } }), run('succeeded', { past: 2 })];
    assert.deepEqual(gone({ successfulRunsHistoryLimit: 1 }, runs), ['succeeded']);
  });

  const kept: [string, GitHookRun][] = [
    ['younger than the kept window and an hour', run('x', { past: -0.01 })],
    ['older, but ended later', run('x', { past: 1, endPast: -0.01 })],
    ['going on', run('x', { status: { phase: 'Running' } })],
    ['not looked at yet', { ...run('x', {}), status: {} }],
    [
      'ended, with a resource that has not got back its clean-up time',
      run('x', {
        status: { resource: { apiVersion: 'batch/v1', kind: 'Job', name: 'x', uid: 'x' } },
      }),
    ],
    [
      'whose last word is tried to be told again',
      run('x', { status: sinks({ desired: 'Failed', lastError: 'x', nextAttemptTime: ago(0) }) }),
    ],
    ['owing somebody its last word', run('x', { status: sinks({ desired: 'Failed', told: 'Started' }) })],
    ['being deleted', { ...run('x', {}), metadata: { ...run('x', {}).metadata, deletionTimestamp: ago(0) } }],
  ];
  for (const [name, one] of kept) it(`never is a run ${name}`, () => assert.deepEqual(gone(none, [one]), []));

  const past: [string, GitHookRun][] = [
    ['that is just past', run('x', { past: 0.01 })],
    ['that nobody is told of', run('x', { status: sinks({}) })],
    ['for which a newer one speaks', run('x', { status: sinks({ desired: 'Superseded', told: 'Started' }) })],
    ['whose last word somebody refuses for good', run('x', { status: sinks({ desired: 'Failed', lastError: 'x' }) })],
    ['that was told', run('x', { status: sinks({ desired: 'Failed', told: 'Failed' }) })],
  ];
  for (const [name, one] of past)
    it(`is, with limits of 0, a run ${name}`, () => assert.deepEqual(gone(none, [one]), ['x']));

  it('has a sequence only as a whole, by number', () => {
    const sequence = [run('b2', { past: 1, after: 'b', sequence: 2 }), run('b1', { past: 9, after: 'b' })];
    assert.deepEqual(gone(none, sequence), ['b1+b2']);
    const young = run('b3', { past: -1, after: 'b', sequence: 3 });
    assert.deepEqual(gone(none, [...sequence, young]), []);
  });

  it('judges a sequence by its newest run, and lets it take room for all', () => {
    const runs = [
      run('b2', { past: 1, after: 'b', sequence: 2 }),
      run('a', { past: 5 }),
      run('b1', { past: 9, after: 'b' }),
    ];
    assert.deepEqual(gone({ successfulRunsHistoryLimit: 1 }, runs), ['a']);
    assert.deepEqual(gone({ successfulRunsHistoryLimit: 2 }, runs), ['a']);
    assert.deepEqual(gone({ successfulRunsHistoryLimit: 3 }, runs), []);
  });

  it('takes spellings of one repository for one, and a run by hand for one of its own', () => {
    const old = run('b1', { after: 'b' });
    const respelt = { ...old.spec, repository: 'git@github.com:acme/app', sequence: 2 };
    const young = { ...run('b2', { past: -1, after: 'b', sequence: 2 }), spec: respelt };
    assert.deepEqual(gone(none, [old, young]), []);
    assert.deepEqual(gone(none, [old, run('m', { past: -1, after: 'b', manual: true })]), ['b1']);
  });
});
