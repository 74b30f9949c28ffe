// The verdict finds what it is there for: each promise broken in turn, in what the long run would have written down.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CommitStatus } from '../../env/forge/statuses.ts';
import { check, type Evidence } from './checker.ts';
import type { SeenRun } from './ledger.ts';

const commit = 'c'.repeat(40);
const hook = { namespace: 'team-a', name: 'hook-1', repository: 'acme/app-0', branch: 'line-1' };
const run: SeenRun = {
  ...{ key: 'team-a/hook-1-abc', uid: 'run-1', commit, phase: 'Succeeded', reason: 'Completed', job: 'build-x' },
  ...{ isOver: true, deleted: false },
};

interface Broken {
  readonly runs?: readonly SeenRun[];
  readonly children?: readonly string[];
  readonly takenAt?: number | undefined;
  readonly storedAt?: number;
  readonly createdJobs?: readonly { uid: string; ownerUid: string }[];
  readonly states?: readonly CommitStatus['state'][];
  readonly context?: string;
  readonly titles?: readonly string[];
  readonly outcome?: 'Succeeded' | 'Failed';
}

/** A push that went well, but for what is broken. */
function evidence(broken: Broken): Evidence {
  const {
    runs = [run],
    children = ['job-1'],
    storedAt = 10,
    createdJobs = [{ uid: 'job-1', ownerUid: 'run-1' }],
  } = broken;
  const { states = ['pending', 'success'], context = 'kube-git/team-a/hook-1' } = broken;
  const { titles = ['Job Started :large_orange_diamond:', 'Job Succeeded :white_check_mark:'] } = broken;
  const takenAt = 'takenAt' in broken ? broken.takenAt : 11;
  const message = (title: string) => ({
    attachments: [{ title, fields: [{ title: 'Commit', value: `\`${commit}\`` }] }],
  });
  const parts = {
    world: {
      forge: {
        statuses: states.map((state) => ({ sha: commit, state, context })),
        messages: titles.map((title) => ({ body: message(title) })),
      },
      trail: { jobs: createdJobs, storedAt: new Map([[run.key, storedAt]]) },
    },
    sendings: [{ push: { hook, commit, before: '', id: 'd' }, attempts: [], body: '', takenAt }],
    ledger: {
      runs: new Map(runs.map((each) => [each.uid, each])),
      byCommit: Map.groupBy(
        runs.map(({ uid }) => uid),
        () => commit,
      ) as unknown,
      children: new Map([['run-1', new Set(children)]]),
      seenAt: new Map(),
      addChild(owner: string, child: string) {
        this.children.get(owner)?.add(child);
      },
    },
    ender: { outcomeOf: () => broken.outcome ?? 'Succeeded' },
  };
  return parts as unknown as Evidence;
}

const oracles = (broken: Broken): readonly string[] => check(evidence(broken)).map(({ oracle }) => oracle);

describe('the checker of the long run', () => {
  it('says nothing where all is well', () => {
    assert.deepEqual(oracles({}), []);
    assert.deepEqual(oracles({ states: ['success', 'success'], titles: ['Job Succeeded', 'Job Succeeded'] }), []);
  });

  const cases: readonly [string, Broken, readonly string[]][] = [
    ['a push that was never answered with 2xx', { takenAt: undefined }, ['taken']],
    ['a push that was taken and has no run', { runs: [] }, ['lost']],
    ['a run without a Job', { children: [], createdJobs: [] }, ['lost']],
    ['a second run', { runs: [run, { ...run, uid: 'run-2', key: 'team-a/hook-1-abc-2' }] }, ['doubled']],
    ['a second Job that the watch saw', { children: ['job-1', 'job-2'] }, ['doubled']],
    ['a second Job that only a proxy saw', { createdJobs: [{ uid: 'job-3', ownerUid: 'run-1' }] }, ['doubled']],
    ['a 2xx before the run was stored', { storedAt: 12 }, ['acknowledged too early']],
    ['a result that is not the Job’s', { outcome: 'Failed' }, ['result']],
    ['a run that is not over', { runs: [{ ...run, isOver: false }] }, ['unfinished']],
    ['a run that was deleted', { runs: [{ ...run, deleted: true }] }, ['unfinished']],
    ['a status that was never told', { states: ['pending'] }, ['forge']],
    ['no status at all', { states: [] }, ['forge']],
    ['pending after the end', { states: ['success', 'pending', 'success'] }, ['forge']],
    ['another context', { context: 'kube-git/team-a/hook-2' }, ['forge']],
    ['another end told to Slack', { titles: ['Job Failed :x:', 'Job Succeeded'] }, ['slack']],
    ['the wrong end told to Slack', { titles: ['Job Succeeded', 'Job Failed :x:'] }, ['slack']],
  ];
  for (const [what, broken, found] of cases) {
    it(`finds ${what}`, () => assert.deepEqual(oracles(broken), found));
  }
});
