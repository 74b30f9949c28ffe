// Deliveries that failed, found in the forge's own log of them: after a downtime, once, and only for those they are for.
// The comparison of refs is off unless a test is about both.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GitHookStatusRecovery } from '../../src/api/githook.ts';
import { api } from '../env/cluster.ts';
import { jobManifest, notificationsOf, type Scenario, startScenario } from '../env/scenario.ts';
import { waitFor } from '../env/wait.ts';

type Context = Parameters<typeof startScenario>[0];

const files = { 'job.yaml': jobManifest };

/** A repository that the log's API is asked about: on the host of the entry's api. */
async function start(t: Context, args: readonly string[] = ['-poll-interval=0s']): Promise<Scenario> {
  const s = await startScenario(t, { args: ['-delivery-log', ...args] });
  await s.gitHook('app');
  return s;
}

async function logStatus(s: Scenario): Promise<GitHookStatusRecovery | undefined> {
  const { status } = await s.readGitHook('app');
  return status?.recovery?.find(({ source }) => source === 'DeliveryLog');
}

/** Pushes while nobody listens. */
async function pushInVain(s: Scenario): Promise<string> {
  const commit = await s.push({ ...files, README: `${Math.random()}` });
  assert.equal(s.forge.deliveries.at(-1)?.answer, undefined);
  return commit;
}

const sources = async (s: Scenario): Promise<readonly string[]> =>
  (await s.runs()).map(({ spec }) => spec.source).sort();

describe('deliveries that failed', () => {
  it('while kube-git was down are run once it is back, each once, also after another restart', async (t) => {
    const s = await start(t);
    await s.push(files);
    await s.kubeGit.kill();
    const lost = [await pushInVain(s), await pushInVain(s)];
    const again = await s.restart();
    for (const commit of lost) await s.untilRun(commit, ({ status }) => status?.phase === 'Running', 'Running');
    assert.deepEqual(await sources(s), ['DeliveryLog', 'DeliveryLog', 'Webhook']);
    const [run] = (await s.runs()).filter(({ spec }) => spec.commit === lost[1]);
    const delivery = s.forge.deliveries.at(-1);
    assert.deepEqual(
      [run?.spec.delivery?.id, run?.spec.delivery?.hookId, run?.spec.before, run?.spec.author],
      [delivery?.id, delivery?.hookId, lost[0], 'Ada Test'],
    );
    const said = await waitFor(async () => ((await logStatus(s))?.found === 2 ? logStatus(s) : undefined), {
      what: 'found',
    });
    assert.ok(said.cursor && said.lastFoundTime && said.lastSuccessTime && said.lastError === undefined);

    const redelivered = await s.forge.redeliver(delivery?.id ?? '');
    assert.match(redelivered.answer?.body ?? '', /"reason":"Duplicate"/);
    await again.kill();
    const from = s.sinks.github.log.length;
    await s.restart();
    const isRead = (): boolean =>
      s.sinks.github.log.slice(from).some(({ path, done }) => done && path.endsWith('/deliveries'));
    await waitFor(isRead, { what: 'the log to be read again', deadlineMs: 20_000 });
    const last = await s.push({ ...files, README: 'last' });
    await s.untilRun(last, ({ status }) => status?.phase === 'Running', 'Running');
    assert.deepEqual(await sources(s), ['DeliveryLog', 'DeliveryLog', 'Webhook', 'Webhook']);
    assert.ok(((await logStatus(s))?.cursor ?? '') >= said.cursor);
    const { items } = await api<{ items: readonly { reason: string; message: string }[] }>(
      ...(['GET', `/api/v1/namespaces/${s.namespace}/events`] as const),
    );
    const recovered = items.filter(({ reason }) => reason === 'PushRecovered');
    assert.equal(recovered.length, 2);
    assert.match(
      recovered[0]?.message ?? '',
      /its delivery failed \(502\), the forge's log of deliveries has it: app-/,
    );
  });

  it('before a GitHook was made, or of a branch that it does not want, are not its', async (t) => {
    const s = await start(t);
    await s.kubeGit.kill();
    await pushInVain(s);
    const nextSecond = 1000 * Math.ceil((s.forge.deliveries.at(-1)?.sentAt ?? 0) / 1000); // creation times are whole seconds
    await waitFor(() => Date.now() > nextSecond, { what: 'the next second' });
    const metadata = { name: 'young' };
    const spec = {
      repository: s.repository.url,
      branches: ['*'],
      manifest: 'job.yaml',
      notification: { github: 'forge' },
    };
    await api('POST', `/apis/kubegit.appspero.com/v1alpha1/namespaces/${s.namespace}/githooks`, {
      ...{ apiVersion: 'kubegit.appspero.com/v1alpha1', kind: 'GitHook', metadata, spec },
    });
    const commit = await pushInVain(s);
    await s.restart();
    const runs = () => s.runs();
    await waitFor(async () => (await runs()).length === 3, { what: 'three runs', deadlineMs: 20_000 });
    await waitFor(async () => (await logStatus(s))?.cursor, { what: 'the reading to end' });
    const young = (await runs()).filter(({ spec: { gitHookRef } }) => gitHookRef.name === 'young');
    assert.deepEqual(
      young.map((run) => run.spec.commit),
      [commit],
    );
  });

  it('are run once where the comparison of refs looks for them too', async (t) => {
    const s = await start(t, ['-poll-interval=1s', '-poll-settle=1s']);
    await waitFor(async () => (await s.readGitHook('app')).status?.recovery?.length === 2, {
      what: 'both to have worked',
    });
    await s.kubeGit.kill();
    const commit = await pushInVain(s);
    await s.restart();
    await s.untilRun(commit, ({ status }) => status?.phase === 'Running', 'Running');
    const marker = await s.repository.commit({ ...files, README: 'marker' }, { branch: 'marker' });
    await s.untilRun(marker, ({ spec }) => spec.source === 'Poll', 'found');
    assert.equal((await s.runs()).length, 2);
  });
});

describe('a log that may not be read', () => {
  it('is said with what the token needs, and read when the notification file changes', async (t) => {
    const s = await start(t);
    await waitFor(() => logStatus(s), { what: 'the first reading' });
    await s.kubeGit.kill();
    const commit = await pushInVain(s);
    const refuse = s.sinks.github.rule(({ path }) =>
      path.endsWith('/hooks') ? { kind: 'answer', status: 404 } : undefined,
    );
    const kubeGit = await s.restart();
    const error = await waitFor(async () => (await logStatus(s))?.lastError, { what: 'the error' });
    assert.match(error, /^NotificationNotFound: .* answered 404\. Let the token of github\.forge read the webhooks/);
    refuse();
    await kubeGit.writeNotifications(notificationsOf(s.sinks, { github: { url: 'https://changed.example.com' } }));
    await s.untilRun(commit, ({ spec }) => spec.source === 'DeliveryLog', 'found');
    await waitFor(async () => (await logStatus(s))?.lastError === undefined, { what: 'the error to go' });
  });

  it('because the API asks to wait is left alone for as long', async (t) => {
    const s = await start(t);
    await waitFor(() => logStatus(s), { what: 'the first reading' });
    const headers = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': `${Math.floor(Date.now() / 1000) + 3_000}` };
    s.sinks.github.rule(({ path }) => (path.includes('/hooks') ? { kind: 'answer', status: 403, headers } : undefined));
    await s.kubeGit.kill();
    await s.restart();
    const error = await waitFor(async () => (await logStatus(s))?.lastError, { what: 'the error' });
    assert.match(error, /^RateLimited: /);
    const asked = (): number => s.sinks.github.log.filter(({ path }) => path.includes('/hooks')).length;
    const before = asked();
    await s.push(files);
    await waitFor(async () => (await s.runs()).length === 1, { what: 'a run' });
    assert.equal(asked(), before);
  });
});
