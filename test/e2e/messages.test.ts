// What the forge and Slack are sent, byte by byte, in each of the four states. The expected texts are those of the
// notifiers' own tests; what differs from run to run is replaced by what stands there.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { FaultProxy } from '../env/proxy.ts';
import { forgeToken, jobManifest, notificationsOf, type Scenario, slackPath, startScenario } from '../env/scenario.ts';
import { waitFor } from '../env/wait.ts';

const goldens = join(import.meta.dirname, '../../src/notifier/testdata');
const golden = (name: string): unknown => JSON.parse(readFileSync(join(goldens, `${name}.json`), 'utf8'));

const url = 'https://argo.example.com/workflows/${NAMESPACE}/${NAME}';
const start = (t: { after(fn: () => unknown): void }): Promise<Scenario> =>
  startScenario(t, {
    notifications: (sinks) => notificationsOf(sinks, { github: { url }, slack: { url, channel: '#builds' } }),
  });

/** The bodies a sink was sent, with the names that the expected texts have. */
function sent(sink: FaultProxy, names: Readonly<Record<string, string>>): readonly unknown[] {
  return sink.log.map(({ body }) => {
    let text = body;
    for (const [name, placeholder] of Object.entries(names)) {
      text = text.replaceAll(JSON.stringify(name).slice(1, -1), placeholder);
    }
    return JSON.parse(text) as unknown;
  });
}

function namesOf(s: Scenario, commit: string, job = 'none'): Readonly<Record<string, string>> {
  return {
    [s.repository.url]: 'http://localhost:3000/acme/app.git',
    [commit]: '2f5a8c0d9b1e4f7a6c3d2e1f0a9b8c7d6e5f4a3b',
    [commit.slice(0, 12)]: '2f5a8c0',
    [job]: 'build-x7k2p',
    [s.namespace]: 'team-a',
    'Ada Test': 'Ada Lovelace',
  };
}

describe('the messages of a run', () => {
  for (const [phase, word] of [
    ['Succeeded', 'succeeded'],
    ['Failed', 'failed'],
  ] as const) {
    it(`that has ${word} are those of its start and its end`, async (t) => {
      const s = await start(t);
      await s.gitHook('app');
      const commit = await s.push({ 'job.yaml': jobManifest });
      const running = await s.untilRun(commit, ({ status }) => status?.phase === 'Running', 'Running');
      await waitFor(() => s.forge.statuses.length === 1 && s.forge.messages.length === 1, { what: 'the start' });
      const job = running.status?.resource?.name ?? '';
      await s.endJob(job, phase);
      await waitFor(() => s.forge.statuses.length === 2 && s.forge.messages.length === 2, { what: 'the end' });
      const names = namesOf(s, commit, job);
      assert.deepEqual(sent(s.sinks.slack, names), [golden('slack-started'), golden(`slack-${word}`)]);
      assert.deepEqual(sent(s.sinks.github, names), [golden('github-started'), golden(`github-${word}`)]);
    });
  }

  it('that could not start say why, without a link', async (t) => {
    const s = await start(t);
    await s.gitHook('app', { manifest: 'ci/job.yaml' });
    const commit = await s.push({ README: 'no manifest' });
    const run = await s.untilRun(commit, ({ status }) => status?.phase === 'Failed', 'Failed');
    await waitFor(() => s.forge.statuses.length === 1 && s.forge.messages.length === 1, { what: 'the error' });
    const reason = run.status?.message ?? '';
    assert.match(reason, /^there is no "ci\/job\.yaml" at commit/);
    const names = { [reason]: 'there is no ci/job.yaml in commit 2f5a8c0', ...namesOf(s, commit) };
    assert.deepEqual(sent(s.sinks.slack, names), [golden('slack-error')]);
    const [status] = sent(s.sinks.github, names) as { description: string }[];
    const { description: _, ...others } = golden('github-error') as { description: string };
    assert.deepEqual({ ...status, description: undefined }, { ...others, description: undefined });
    // As much of it as the forge takes.
    const whole = `Could not start: ManifestNotFound: ${reason}`;
    assert.equal(s.forge.statuses[0]?.description, `${whole.slice(0, 139)}…`);
  });

  it('go to the addresses of the notification file, with its token for the forge alone', async (t) => {
    const s = await start(t);
    await s.gitHook('app');
    const commit = await s.push({ 'job.yaml': jobManifest });
    await waitFor(() => s.forge.statuses.length === 1 && s.forge.messages.length === 1, { what: 'the start' });
    const [status] = s.sinks.github.log;
    const [message] = s.sinks.slack.log;
    assert.equal(`${status?.method} ${status?.path}`, `POST /api/v3/repos/acme/app/statuses/${commit}`);
    assert.equal(`${message?.method} ${message?.path}`, `POST /slack/${slackPath}`);
    const basic = Buffer.from(`${forgeToken}:x-oauth-basic`).toString('base64');
    assert.equal(status?.headers.authorization, `Basic ${basic}`);
    assert.equal(message?.headers.authorization, undefined);
    assert.match(status?.headers['user-agent'] ?? '', /^kube-git\//);
  });
});
