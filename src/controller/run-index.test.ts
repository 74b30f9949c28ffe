import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GitHookRun } from '../api/githookrun.ts';
import { RunIndex } from './run-index.ts';

const github = { type: 'github', name: 'ci' };

/** A run of GitHook u that has a word for the commit status, unless `silent`. */
function run(
  name: string,
  fields: { received?: string; created?: string; sequence?: number; silent?: boolean; commit?: string } = {},
): GitHookRun {
  const {
    received = '2026-01-01T00:00:00.000Z',
    created = '2026-01-01T00:00:00Z',
    sequence = 1,
    silent = false,
  } = fields;
  return {
    apiVersion: 'kubegit.appspero.com/v1alpha1',
    kind: 'GitHookRun',
    metadata: { namespace: 'ci', name, uid: name, creationTimestamp: created },
    spec: {
      gitHookRef: { name: 'app', uid: 'u' },
      ...{ sequence, source: 'Webhook', forge: 'github', receivedTime: received, ref: 'refs/heads/main' },
      ...{
        after: 'a',
        commit: fields.commit ?? 'a',
        repository: 'https://github.com/acme/app.git',
        manifest: 'job.yaml',
      },
    },
    status: { sinks: [{ ...github, ...(silent ? {} : { desired: 'Started' }) }] },
  };
}

describe('RunIndex', () => {
  const cases: [string, GitHookRun, GitHookRun, boolean][] = [
    ['made later', run('x'), run('a', { created: '2026-01-01T00:00:01Z' }), true],
    ['made earlier', run('x', { created: '2026-01-01T00:00:01Z' }), run('z'), false],
    ['received later in the same second', run('x'), run('a', { received: '2026-01-01T00:00:00.001Z' }), true],
    ['received at the same time with a higher number', run('x'), run('a', { sequence: 2 }), true],
    ['silent so far', run('x'), run('a', { created: '2026-01-01T00:00:01Z', silent: true }), false],
    ['of another commit', run('x'), run('a', { created: '2026-01-01T00:00:01Z', commit: 'b' }), false],
  ];
  for (const [name, mine, other, expected] of cases) {
    it(`${expected ? 'gives' : 'does not give'} the word to a run that was ${name}`, () => {
      const index = new RunIndex();
      index.set(mine);
      index.set(other);
      assert.equal(index.hasNewerWord(mine, github), expected);
    });
  }

  it('lists the runs of a GitHook newest first, and none that were removed', () => {
    const index = new RunIndex();
    const [old, young, gone] = [run('a'), run('b', { created: '2026-01-01T00:00:01Z' }), run('c')];
    for (const one of [old, young, gone]) index.set(one);
    index.remove(gone);
    assert.deepEqual(index.of('u'), [young, old]);
    assert.deepEqual(index.of('v'), []);
  });
});
