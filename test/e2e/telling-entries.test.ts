// Entries of the notification file that do not work: a person reads on the GitHook what to change, and when it is
// changed, on disk and without a restart, the sink hears what it missed.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Condition } from '../../src/api/conditions.ts';
import type { GitHookRunStatusSink } from '../../src/api/githookrun.ts';
import { jobManifest, notificationsOf, type Scenario, type Sinks, startScenario } from '../env/scenario.ts';
import { waitFor } from '../env/wait.ts';

/** The condition Stalled of GitHook app, once it has this reason. */
function untilStalled(s: Scenario, reason: string): Promise<Condition> {
  return waitFor(
    async () => {
      const { status } = await s.readGitHook('app');
      return status?.conditions?.find((condition) => condition.type === 'Stalled' && condition.reason === reason);
    },
    { what: `Stalled with ${reason}`, deadlineMs: 20_000 },
  );
}

function untilSink(s: Scenario, is: (sink: GitHookRunStatusSink) => boolean, what: string) {
  const find = async (): Promise<GitHookRunStatusSink | undefined> => {
    const [run] = await s.runs();
    return run?.status?.sinks?.find((sink) => sink.type === 'github' && is(sink));
  };
  return waitFor(find, { what, deadlineMs: 20_000 });
}

async function runToTheEnd(s: Scenario): Promise<void> {
  const commit = await s.push({ 'job.yaml': jobManifest });
  const running = await s.untilRun(commit, ({ status }) => status?.phase === 'Running', 'Running');
  await s.endJob(running.status?.resource?.name ?? '', 'Succeeded');
  await s.untilRun(commit, ({ status }) => status?.phase === 'Succeeded', 'Succeeded');
  await waitFor(() => s.forge.messages.length === 2, { what: 'Slack to be told all' });
}

describe('a token that the forge refuses', () => {
  it('is asked once a state, not in a loop, and a corrected file makes it told', async (t) => {
    const s = await startScenario(t, {
      notifications: (sinks) => notificationsOf(sinks, { github: { token: 'old' } }),
    });
    await s.gitHook('app');
    await runToTheEnd(s);
    const refused = await untilSink(
      s,
      ({ desired, lastError }) => desired === 'Succeeded' && lastError !== undefined,
      'the refusal on the run',
    );
    assert.match(refused.lastError ?? '', /^NotificationUnauthorized: .* answered 401: Bad credentials/);
    assert.equal(refused.nextAttemptTime, undefined);
    const stalled = await untilStalled(s, 'NotificationUnauthorized');
    assert.equal(stalled.status, 'True');
    assert.match(stalled.message, /Write a valid token in github\.forge\.token of the notification file/);

    const states = s.sinks.github.log.map(({ body }) => (JSON.parse(body) as { state: string }).state);
    assert.equal(new Set(states).size, states.length, `each state once: ${states.join(', ')}`);
    assert.equal(states.at(-1), 'success');
    // Five seconds pass until the file is read again: time enough for a loop to show.
    await s.kubeGit.writeNotifications(notificationsOf(s.sinks));
    await untilSink(s, ({ told }) => told === 'Succeeded', 'the forge to be told');
    assert.equal(s.sinks.github.log.length, states.length + 1);
    assert.deepEqual(
      s.forge.statuses.map(({ state }) => state),
      ['success'],
    );
    assert.equal((await untilStalled(s, 'NothingToDo')).status, 'False');
  });

  it('is asked once more after a restart', async (t) => {
    const s = await startScenario(t, {
      notifications: (sinks) => notificationsOf(sinks, { github: { token: 'old' } }),
    });
    await s.gitHook('app');
    await runToTheEnd(s);
    await untilSink(s, ({ desired, lastError }) => desired === 'Succeeded' && lastError !== undefined, 'the refusal');
    await s.kubeGit.kill();
    const before = s.sinks.github.log.length;
    const again = await s.restart();
    await waitFor(() => s.sinks.github.log.length > before, { what: 'one more request' });
    await again.writeNotifications(notificationsOf(s.sinks));
    await untilSink(s, ({ told }) => told === 'Succeeded', 'the forge to be told');
    assert.equal(s.sinks.github.log.length, before + 2);
  });
});

describe('an entry that is not there', () => {
  it('is named on the GitHook before any push with the entries there are, and is told once it is added', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app', { notification: { github: 'nobody', slack: 'team' } });
    const stalled = await untilStalled(s, 'NotificationNotFound');
    assert.equal(stalled.status, 'True');
    assert.match(
      stalled.message,
      /no entry github\.nobody \(it has forge\)\. Add it, or correct spec\.notification\.github/,
    );
    await runToTheEnd(s);
    const missing = await untilSink(s, ({ lastError }) => lastError !== undefined, 'the error on the run');
    assert.match(missing.lastError ?? '', /^NotificationNotFound: .* no entry github\.nobody/);

    const file = JSON.parse(notificationsOf(s.sinks)) as { github: Record<string, unknown> };
    file.github['nobody'] = file.github['forge'];
    await s.kubeGit.writeNotifications(JSON.stringify(file));
    await untilSink(s, ({ told }) => told === 'Succeeded', 'the forge to be told');
    assert.equal((await untilStalled(s, 'NothingToDo')).status, 'False');
  });

  it('does not matter after a file that cannot be read: the last good one counts', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app');
    await s.kubeGit.writeNotifications('github: {forge: {token: 7}}');
    await waitFor(() => s.kubeGit.output().includes('the last good one is kept'), { what: 'the complaint' });
    assert.match(s.kubeGit.output(), /github\.forge\.token must be a string/);
    await runToTheEnd(s);
    await untilSink(s, ({ told }) => told === 'Succeeded', 'the forge to be told');
    const metrics = await (await fetch(`${s.kubeGit.privateUrl}/metrics`)).text();
    assert.match(metrics, /^kubegit_notification_file_valid 0$/m);
  });

  it('because the file cannot be used is explained by what is wrong with the file', async (t) => {
    const placeholders = (sinks: Sinks): string => notificationsOf(sinks, { slack: { webhookURL: '...' } });
    const s = await startScenario(t, { notifications: placeholders });
    await s.gitHook('app', { notification: { github: 'forge' } });
    const { message } = await untilStalled(s, 'NotificationNotFound');
    assert.match(message, /The file as it is now cannot be used: slack\.team\.webhookURL must be an http or https URL/);
    await s.kubeGit.writeNotifications(notificationsOf(s.sinks));
    await untilStalled(s, 'NothingToDo');
  });
});
