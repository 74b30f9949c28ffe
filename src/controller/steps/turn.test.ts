import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GitHookRun } from '../../api/githookrun.ts';
import { LimitedTurns } from '../limited-turns.ts';
import type { RunContext } from '../run-context.ts';
import { waitForTurn } from './turn.ts';

const repository = 'https://git.example.com/acme/app.git';

/** Whether this run waits, unread, while the only turn of its server is taken. */
function waits(run: object | undefined): boolean {
  const fetchTurns = new LimitedTurns(1, () => {});
  void fetchTurns.take({ server: 'git.example.com' }, 'another', () => new Promise(() => {}));
  const shown = (): GitHookRun | undefined => run as GitHookRun | undefined;
  return waitForTurn('team/run', { shown, fetchTurns } as unknown as RunContext) !== undefined;
}

describe('a run that is not read', () => {
  const fresh = { metadata: { name: 'run' }, spec: { repository } };
  const cases: readonly [string, object | undefined, boolean][] = [
    ['is one that has not been looked at', fresh, true],
    ['is one whose fetch is tried again', { ...fresh, status: { phase: 'Pending' } }, true],
    [
      'is none that has named its resource',
      { ...fresh, status: { phase: 'Creating', resource: { name: 'x' } } },
      false,
    ],
    ['is none that has ended', { ...fresh, status: { phase: 'Failed' } }, false],
    [
      'is none that is cancelled',
      { ...fresh, metadata: { annotations: { 'kubegit.appspero.com/cancel': 'yes' } } },
      false,
    ],
    ['is none that is to be skipped', { ...fresh, spec: { repository, suspend: true } }, false],
    ['is none that is being deleted', { ...fresh, metadata: { deletionTimestamp: 'now' } }, false],
    ['is none that the watch does not show', undefined, false],
  ];
  for (const [name, run, expected] of cases) it(name, () => assert.equal(waits(run), expected));

  it('is none when it is its turn', () => {
    const context = { shown: () => fresh, fetchTurns: new LimitedTurns(1, () => {}) };
    assert.equal(waitForTurn('team/run', context as unknown as RunContext), undefined);
  });
});
