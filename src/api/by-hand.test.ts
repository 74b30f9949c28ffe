import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { handledAs, isCancelAsked, lateCancel, rerunAsked, runNowAsked } from './by-hand.ts';
import type { GitHook } from './githook.ts';
import type { GitHookRun, GitHookRunStatus } from './githookrun.ts';

const group = 'kubegit.appspero.com';

function run(annotations: Record<string, string>, status: GitHookRunStatus = {}): GitHookRun {
  return { metadata: { annotations }, status } as unknown as GitHookRun;
}

function gitHook(annotations: Record<string, string>, handledRun?: string): GitHook {
  return { metadata: { annotations }, status: { handledRun } } as unknown as GitHook;
}

const ended = { phase: 'Succeeded', reason: 'Completed' } as const;
const long = 'x'.repeat(2000);

describe('a run', () => {
  it('is to be cancelled for any value, the empty one included, and not without the annotation', () => {
    assert.equal(isCancelAsked(run({ [`${group}/cancel`]: '' })), true);
    assert.equal(isCancelAsked(run({ cancel: 'yes' })), false);
    assert.equal(isCancelAsked({ metadata: {} } as GitHookRun), false);
  });

  const late: readonly (readonly [what: string, status: GitHookRunStatus, value: string | undefined])[] = [
    ['that goes on', { phase: 'Running' }, undefined],
    ['that has ended', ended, 'yes'],
    ['that was cancelled', { phase: 'Failed', reason: 'Cancelled' }, undefined],
    ['that has ended and said so', { ...ended, handledCancel: 'yes' }, undefined],
    ['that has ended and said so of another value', { ...ended, handledCancel: 'no' }, 'yes'],
  ];
  for (const [what, status, value] of late) {
    it(`${what} is ${value === undefined ? 'not ' : ''}cancelled too late`, () =>
      assert.equal(lateCancel(run({ [`${group}/cancel`]: 'yes' }, status)), value));
  }

  it('is to run again once a value, however long', () => {
    assert.equal(rerunAsked(run({})), undefined);
    for (const value of ['', '1', long]) {
      assert.equal(rerunAsked(run({ [`${group}/rerun`]: value }, ended)), value);
      assert.equal(rerunAsked(run({ [`${group}/rerun`]: value }, { handledRerun: handledAs(value) })), undefined);
    }
  });
});

describe('a GitHook', () => {
  it('is to run now once a value', () => {
    assert.equal(runNowAsked(gitHook({})), undefined);
    assert.equal(runNowAsked(gitHook({ [`${group}/run-now`]: 'main' }, 'other')), 'main');
    assert.equal(runNowAsked(gitHook({ [`${group}/run-now`]: 'main' }, 'main')), undefined);
  });
});

describe('a value in status', () => {
  it('is itself where the CRD takes it, else a digest that tells it from others', () => {
    assert.equal(handledAs('main 1'), 'main 1');
    assert.equal(handledAs('x'.repeat(1024)).length, 1024);
    assert.match(handledAs(long), /^digest:[a-z2-7]{32}$/);
    assert.notEqual(handledAs(long), handledAs(`${long}x`));
  });
});
