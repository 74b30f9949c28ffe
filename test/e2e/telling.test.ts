// Telling while a sink is in trouble: the run and the other sink go on, the trouble stands on the run, and when the
// sink is back, also after kube-git has started anew, it hears the newest state and only that.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GitHookRun, GitHookRunStatusSink } from '../../src/api/githookrun.ts';
import type { Fault } from '../env/proxy.ts';
import { jobManifest, type Scenario, startScenario } from '../env/scenario.ts';
import { waitFor } from '../env/wait.ts';

type SinkType = 'github' | 'slack';

interface Trouble {
  readonly name: string;
  readonly sink: SinkType;
  readonly fault: Fault;
  /** The beginning of lastError. */
  readonly error: RegExp;
}

const never = new Promise<void>(() => {});
const troubles: readonly Trouble[] = [
  {
    name: 'a forge that hangs',
    sink: 'github',
    fault: { kind: 'hold', until: never },
    error: /^SinkUnreachable: 127\.0\.0\.1:\d+ cannot be reached: no answer within 10 s$/,
  },
  {
    name: 'a Slack that hangs',
    sink: 'slack',
    fault: { kind: 'hold', until: never },
    error: /^SinkUnreachable: .* no answer within 10 s$/,
  },
  {
    name: 'a Slack that answers 500',
    sink: 'slack',
    fault: { kind: 'answer', status: 500, body: 'server_error' },
    error: /^SinkUnavailable: .*\(notification entry slack\.team\) answered 500: server_error/,
  },
  {
    name: 'a forge that answers 429 with Retry-After',
    sink: 'github',
    fault: { kind: 'answer', status: 429, headers: { 'retry-after': '8' }, body: '{"message": "slow down"}' },
    error: /^RateLimited: .*\(notification entry github\.forge\) answered 429: slow down/,
  },
  {
    name: 'a forge that resets connections',
    sink: 'github',
    fault: { kind: 'drop' },
    error: /^SinkUnreachable: .* the connection broke$/,
  },
];

/** What each sink has been told, oldest first. */
function told(s: Scenario, type: SinkType): readonly string[] {
  if (type === 'github') return s.forge.statuses.map(({ state }) => state);
  return s.forge.messages.map(({ body }) => (body as { attachments: { title: string }[] }).attachments[0]?.title ?? '');
}

const words = {
  github: { started: 'pending', succeeded: 'success' },
  slack: { started: 'Job Started :large_orange_diamond:', succeeded: 'Job Succeeded :white_check_mark:' },
};

function sinkOf(run: GitHookRun | undefined, type: SinkType): GitHookRunStatusSink | undefined {
  return run?.status?.sinks?.find((sink) => sink.type === type);
}

/** From a push to the end of its Job while one sink is in trouble. */
async function runWith(s: Scenario, { sink, fault, error }: Trouble): Promise<{ commit: string; mend: () => void }> {
  const other = sink === 'github' ? 'slack' : 'github';
  const mend = s.sinks[sink].rule(() => fault);
  await s.gitHook('app');
  const commit = await s.push({ 'job.yaml': jobManifest });
  const running = await s.untilRun(commit, ({ status }) => status?.phase === 'Running', 'Running');
  // Far less than the ten seconds after which kube-git gives up a sink that hangs.
  await waitFor(() => told(s, other).includes(words[other].started), { what: `${other} to hear`, deadlineMs: 5_000 });
  await s.endJob(running.status?.resource?.name ?? '', 'Succeeded');
  await s.untilRun(commit, ({ status }) => status?.phase === 'Succeeded' && status.handedBack === true, 'Succeeded');
  await waitFor(() => told(s, other).length === 2, { what: `${other} to hear of the end`, deadlineMs: 5_000 });
  assert.deepEqual(told(s, other), [words[other].started, words[other].succeeded]);
  const shown = await waitFor(
    async () => {
      const found = sinkOf((await s.runs())[0], sink);
      return found?.desired === 'Succeeded' && found.lastError !== undefined && found;
    },
    { what: `the trouble of ${sink} on the run`, deadlineMs: 30_000 },
  );
  assert.match(shown.lastError ?? '', error);
  assert.ok((shown.attempts ?? 0) >= 1);
  assert.ok(Date.parse(shown.nextAttemptTime ?? '') > 0, 'nextAttemptTime');
  assert.equal(shown.told, undefined);
  return { commit, mend };
}

describe('a run', () => {
  for (const trouble of troubles) {
    it(`goes on with ${trouble.name}, which hears the newest state alone after a restart`, async (t) => {
      const s = await startScenario(t);
      const { sink } = trouble;
      const { commit, mend } = await runWith(s, trouble);
      await s.kubeGit.kill();
      mend();
      const before = s.sinks[sink].log.length;
      const due = Date.parse(sinkOf((await s.runs())[0], sink)?.nextAttemptTime ?? '');

      await s.restart();
      const done = (run: GitHookRun): boolean => sinkOf(run, sink)?.told === 'Succeeded';
      const run = await s.untilRun(commit, done, 'told to the sink that is back');
      assert.deepEqual(told(s, sink), [words[sink].succeeded]);
      const requests = s.sinks[sink].log.slice(before);
      assert.equal(requests.length, 1);
      assert.ok((requests[0]?.time ?? 0) >= due, 'no request before the time that is shown as nextAttemptTime');
      const { lastError, attempts, nextAttemptTime } = sinkOf(run, sink) ?? {};
      assert.deepEqual([lastError, attempts, nextAttemptTime], [undefined, undefined, undefined]);
    });
  }

  it('is told to a sink that is back without a restart, too', async (t) => {
    const s = await startScenario(t);
    const fault = { kind: 'answer', status: 503 } as const;
    const { commit, mend } = await runWith(s, { name: '', sink: 'github', fault, error: /^SinkUnavailable/ });
    mend();
    await s.untilRun(commit, (run) => sinkOf(run, 'github')?.told === 'Succeeded', 'told');
    assert.deepEqual(told(s, 'github'), ['success']);
  });

  it('is tried to be told ever more seldom, and the attempts are counted on over a restart', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app', { notification: { slack: 'team' } });
    s.sinks.slack.rule(() => ({ kind: 'answer', status: 500 }));
    const commit = await s.push({ 'job.yaml': jobManifest });
    await s.untilRun(commit, (run) => sinkOf(run, 'slack')?.attempts === 2, 'tried twice');
    await s.kubeGit.kill();
    await s.restart();
    await s.untilRun(commit, (run) => sinkOf(run, 'slack')?.attempts === 3, 'tried a third time');
    const times = s.sinks.slack.log.map(({ time }) => time);
    const waits = times.slice(1).map((time, i) => time - (times[i] ?? 0));
    assert.ok((waits[0] ?? 0) >= 2_000 && (waits[1] ?? 0) >= 4_000, `waits in ms: ${waits.join(', ')}`);
  });
});
