import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GitHookRun } from '../../src/api/githookrun.ts';
import { Narrator } from './narrator.ts';
import type { Observation } from './observation.ts';

const commit = 'c'.repeat(40);
const blob = 'b'.repeat(40);
const run = (phase?: string, reason = ''): Observation => ({
  kind: 'run',
  run: { metadata: { name: 'greet-1' }, spec: { commit, after: commit }, status: { phase, reason } } as GitHookRun,
});
const job = (name = 'greet-x', runName = 'greet-1'): Observation => ({
  kind: 'job',
  job: { metadata: { name, uid: `${name}-uid`, labels: { 'kubegit.appspero.com/run': runName } } },
});
const push = {
  kind: 'push',
  push: { repository: 'acme/app', ref: 'refs/heads/main', before: '0'.repeat(40), after: commit },
} as const;
const delivery = (status: number, answer: unknown): Observation => ({
  kind: 'delivery',
  delivery: {
    ...{ id: '1', hookId: '1', event: 'push', redelivery: false, error: undefined, sentAt: 0, durationMs: 1 },
    request: { url: '', headers: {}, body: JSON.stringify({ after: commit }) },
    answer: { status, headers: {}, body: JSON.stringify(answer) },
  },
});
const fetch = (wants: string[], filter?: string): Observation => ({
  kind: 'fetch',
  fetch: { repository: 'acme/app', wants, filter, depth: wants.includes(blob) ? undefined : 1, userAgent: 'git/2' },
});
const log: Observation = {
  kind: 'log',
  pod: { metadata: { name: 'greet-x-1', uid: 'pod', ownerReferences: [{ uid: 'greet-x-uid' }] } },
  text: 'Hello',
};
const status = (state: 'pending' | 'success' | 'failure'): Observation => ({
  kind: 'status',
  status: {
    ...{ id: 1, repository: 'acme/app', sha: commit, state, context: 'ci', description: 'words' },
    ...{ target_url: null, created_at: '' },
  },
});
const message = (color: string, title: string): Observation => ({
  kind: 'message',
  message: { channel: 'builds', body: { attachments: [{ color, title, text: `of ${commit}` }] }, receivedAt: 0 },
});

/** The whole of a push that succeeds, in the order in which it usually happens. */
const success: readonly Observation[] = [
  push,
  run(),
  delivery(202, { reason: 'RunsCreated', message: 'main runs', runs: ['demo/greet-1'] }),
  fetch([commit], 'blob:none'),
  fetch([blob], 'blob:none'),
  job(),
  run('Running', 'Started'),
  status('pending'),
  message('warning', 'Job Started'),
  log,
  run('Succeeded', 'Completed'),
  status('success'),
  message('good', 'Job Succeeded'),
];

function newNarrator() {
  const lines: string[] = [];
  let now = 1000;
  const narrator = new Narrator({
    style: { colour: false },
    write: (line) => lines.push(line),
    now: () => now,
    startedAt: 0,
  });
  narrator.knowManifest(blob, commit);
  const observe = (observation: Observation) => {
    narrator.observe(observation);
    now += 100;
  };
  const until = (outcome: 'Succeeded' | 'Failed', signal = new AbortController().signal) =>
    narrator.until(commit, outcome, { deadlineMs: 20, signal });
  return { lines, narrator, observe, until };
}

describe('demo narrator', () => {
  it('tells each step of a push once, with the time since the push', async () => {
    const { lines, observe, until } = newNarrator();
    for (const observation of success) {
      observe(observation);
      if (observation.kind === 'run' || observation.kind === 'job') observe(observation); // watches repeat themselves
    }
    await until('Succeeded');
    assert.deepEqual(
      lines.map((line) => line.slice(12, 31).trim()),
      [
        ...['push', 'run recorded', 'delivery answered', 'manifest fetched', 'Job created', 'run', 'commit status'],
        ...['Slack message', 'pod log', 'run', 'commit status', 'Slack message'],
      ],
    );
    assert.equal(lines[0], '    0.00 s  push               main is now cccccccccccc, was not there');
    assert.equal(lines[2], '    0.30 s  delivery answered  202  RunsCreated  main runs  demo/greet-1');
  });

  it('tells of a tag of the same commit apart from the push of the branch', () => {
    const { lines, observe } = newNarrator();
    const tag = 'a'.repeat(40);
    for (const observation of success) observe(observation);
    const told = lines.length;
    observe({ kind: 'push', push: { ...push.push, ref: 'refs/tags/v1', after: tag } });
    observe({ kind: 'run', run: { metadata: { name: 'greet-2' }, spec: { commit, after: tag } } as GitHookRun });
    observe(job('greet-y', 'greet-2'));
    observe(run('Succeeded', 'Completed'));
    observe(message('good', 'Job `demo/greet-y` Succeeded'));
    assert.deepEqual(
      lines.slice(told).map((line) => line.slice(12)),
      [
        'push               v1 is now aaaaaaaaaaaa, was not there',
        'run recorded       greet-2',
        'Job created        greet-y',
        `Slack message      #builds  Job \`demo/greet-y\` Succeeded of ${commit}`,
      ],
    );
  });

  it('takes a fetch of the commit alone for the manifest only where no filter left the files out', async () => {
    const { lines, observe } = newNarrator();
    observe(push);
    observe(fetch([commit], 'blob:none'));
    observe(fetch(['d'.repeat(40)]));
    assert.equal(lines.length, 1);
    observe(fetch([commit]));
    assert.match(lines[1] ?? '', /manifest fetched +with all files of the commit, git object cccccccccccc/);
  });

  for (const [index, left] of success.entries()) {
    if (index === 0 || [3, 6].includes(index)) continue; // without the push there is no story; these two are not asked for
    it(`says what is missing when this does not happen: ${left.kind} ${index}`, async () => {
      const { observe, until } = newNarrator();
      for (const observation of success)
        if (observation !== left && !(left.kind === 'run' && index === 1 && observation.kind === 'run'))
          observe(observation);
      await assert.rejects(until('Succeeded'), /^Error: Nothing new happened for 0.02 s. Missing: /);
    });
  }

  it('does not take an answer without runs for the 202 that was promised', async () => {
    const { observe, until } = newNarrator();
    for (const observation of success)
      observe(observation.kind === 'delivery' ? delivery(200, { reason: 'NoMatch' }) : observation);
    await assert.rejects(until('Succeeded'), /Missing: delivery answered with 202\.$/);
  });

  it('gives up at once when the run ends otherwise than it was meant to', async () => {
    const { observe, until } = newNarrator();
    observe(push);
    observe(run('Failed', 'ManifestNotFound'));
    await assert.rejects(until('Succeeded'), /The run did not end as Succeeded/);
  });

  it('stops waiting with the reason of its signal', async () => {
    const { observe, until } = newNarrator();
    observe(push);
    const stop = new AbortController();
    const waiting = until('Succeeded', stop.signal);
    stop.abort(new Error('kube-git ended'));
    await assert.rejects(waiting, /kube-git ended/);
  });

  it('goes on waiting as long as something new happens', async () => {
    const { narrator, observe } = newNarrator();
    const waiting = narrator.until(commit, 'Succeeded', { deadlineMs: 1000, signal: new AbortController().signal });
    for (const observation of success) {
      await new Promise(setImmediate);
      observe(observation);
    }
    await waiting;
  });
});
