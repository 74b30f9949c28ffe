// Secrets stay where they are: a push runs, sinks fail and echo what they were sent, and none of the four secrets is
// found in what kube-git writes, answers, exposes, stores or starts.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { api } from '../env/cluster.ts';
import { webhookSecret } from '../env/kube-git.ts';
import { argumentsUnder, objectsIn, textsOf } from '../env/leaks.ts';
import { type Fault, when } from '../env/proxy.ts';
import { forgeToken, jobManifest, type Scenario, slackPath, startScenario } from '../env/scenario.ts';
import { waitFor } from '../env/wait.ts';

const gitCredentials = { username: 'deploy', password: 'git/Password&OfTests 0123456789' };
const secretRefs = {
  usernameSecret: { name: 'git', key: 'username' },
  passwordSecret: { name: 'git', key: 'password' },
};

/** Every form in which one of them might show. */
const forms: readonly string[] = [webhookSecret, forgeToken, slackPath, gitCredentials.password].flatMap((secret) => [
  secret,
  encodeURIComponent(secret),
  JSON.stringify(secret).slice(1, -1),
  Buffer.from(secret).toString('base64'),
  Buffer.from(`${forgeToken}:x-oauth-basic`).toString('base64'),
  Buffer.from(`${gitCredentials.username}:${gitCredentials.password}`).toString('base64'),
]);

function assertClean(text: string, where: string): void {
  for (const form of forms) {
    const at = text.indexOf(form);
    assert.ok(at < 0, `${where} holds ${form}: ${text.slice(Math.max(0, at - 200), at + form.length + 50)}`);
  }
}

async function createSecret(s: Scenario, password: string): Promise<void> {
  await api('POST', `/api/v1/namespaces/${s.namespace}/secrets`, {
    metadata: { name: 'git' },
    stringData: { username: gitCredentials.username, password },
  });
}

const start = (t: { after(fn: () => unknown): void }, ...args: string[]): Promise<Scenario> =>
  startScenario(t, { gitCredentials, args: ['-log-level', 'debug', ...args] });

/** A sink that fails and repeats what it was sent. */
const echo = (message: string): Fault => ({ kind: 'answer', status: 500, body: JSON.stringify({ message }) });

const insecure = '-allow-insecure-credentials';

/** Everything that can be seen from outside, but for the Secret itself. */
async function assertNothingLeaked(s: Scenario): Promise<void> {
  assertClean(s.kubeGit.output(), "kube-git's output");
  for (const path of ['/metrics', '/readyz', '/healthz']) {
    assertClean(await (await fetch(`${s.kubeGit.privateUrl}${path}`)).text(), path);
  }
  assertClean(JSON.stringify(s.forge.deliveries.map(({ answer }) => answer)), "the deliveries' answers");
  const objects = (await objectsIn(s.namespace)).filter(
    ({ kind, metadata }) => `${kind}/${metadata.name}` !== 'Secret/git',
  );
  const kinds = new Set(objects.map(({ kind }) => kind));
  for (const kind of ['GitHook', 'GitHookRun', 'Event']) assert.ok(kinds.has(kind), `a ${kind} was looked at`);
  for (const object of objects) assertClean(textsOf(object), `${object.kind} ${object.metadata.name}`);
}

describe('secrets', () => {
  for (const way of ['auto', 'git']) {
    it(`are in no output, argument, object, metric or answer while a push runs and sinks fail, with -fetch=${way}`, async (t) => {
      const s = await start(t, insecure, `-fetch=${way}`);
      await createSecret(s, gitCredentials.password);
      const arguments_: string[] = [];
      // Fetches go through the proxy as well, so that the processes can be looked at meanwhile.
      const looked = { up: Promise.resolve() };
      s.sinks.github.rule(
        when({ path: /git-upload-pack$/ }, () => {
          looked.up = argumentsUnder(s.kubeGit.pid).then((found) => void arguments_.push(...found));
          return { kind: 'hold', until: looked.up };
        }),
      );
      const basic = Buffer.from(`${forgeToken}:x-oauth-basic`).toString('base64');
      const removeRules = [
        s.sinks.github.rule(when({ path: /statuses/ }, echo(`no right for ${forgeToken}, ${basic}`))),
        s.sinks.slack.rule(
          when({ path: /slack/ }, echo(`nothing at ${s.sinks.slack.url}/slack/${slackPath}, ${slackPath}`)),
        ),
      ];
      await s.gitHook('app', { ...secretRefs, repository: `${s.sinks.github.url}/acme/app.git` });
      const commit = await s.push({ 'job.yaml': jobManifest });
      await s.untilRun(
        commit,
        ({ status }) => status?.sinks?.every(({ lastError }) => lastError !== undefined) === true,
        'in trouble with both sinks',
      );
      await assertNothingLeaked(s);
      for (const remove of removeRules) remove();
      await s.untilRun(commit, ({ status }) => status?.sinks?.every(({ told }) => told === 'Started') === true, 'told');
      await assertNothingLeaked(s);

      const isGit = arguments_.some((line) => / fetch --/.test(line));
      assert.equal(isGit, way === 'git', arguments_.join('\n'));
      assert.ok(
        arguments_.some((line) => line.includes('main.ts')),
        'kube-git was seen',
      );
      assertClean(arguments_.join('\n'), 'an argument');
      assert.deepEqual((await s.jobs()).length, 1);
    });
  }

  it('are not in the words of a refusal: a wrong password is AuthenticationFailed, the right one runs', async (t) => {
    const s = await start(t, insecure);
    await createSecret(s, `${gitCredentials.password} is wrong`);
    await s.gitHook('app', secretRefs);
    const refused = await s.push({ 'job.yaml': jobManifest });
    const run = await s.untilRun(refused, ({ status }) => status?.phase === 'Failed', 'Failed');
    assert.equal(run.status?.reason, 'AuthenticationFailed');
    assert.match(run.status?.message ?? '', /check the user name and the password or token/);
    await waitFor(() => s.forge.messages.length === 1 && s.forge.statuses.length === 1, { what: 'both to be told' });
    assertClean(JSON.stringify([s.forge.messages.map(({ body }) => body), s.forge.statuses]), 'a message');
    await assertNothingLeaked(s);

    const password = Buffer.from(gitCredentials.password).toString('base64');
    await api('PATCH', `/api/v1/namespaces/${s.namespace}/secrets/git`, { data: { password } });
    const commit = await s.push({ README: 'again' });
    await s.untilRun(commit, ({ status }) => status?.phase === 'Running', 'Running');
  });

  it('are not sent over plain http without the flag: InsecureCredentials', async (t) => {
    const s = await start(t);
    await createSecret(s, gitCredentials.password);
    await s.gitHook('app', { ...secretRefs, repository: `${s.sinks.github.url}/acme/app.git` });
    const commit = await s.push({ 'job.yaml': jobManifest });
    const run = await s.untilRun(commit, ({ status }) => status?.phase === 'Failed', 'Failed');
    assert.equal(run.status?.reason, 'InsecureCredentials');
    assert.match(
      run.status?.message ?? '',
      /Write https:\/\/ in spec\.repository, or start .*-allow-insecure-credentials/,
    );
    assert.ok(!s.sinks.github.log.some(({ path }) => path.endsWith('/info/refs')), 'git was not even asked');
    await waitFor(() => s.forge.messages.length === 1, { what: 'the message' });
    await assertNothingLeaked(s);
  });

  it('of a file that has become bad, and of a delivery with a wrong signature, are not repeated', async (t) => {
    const s = await start(t, insecure);
    await createSecret(s, gitCredentials.password);
    await s.gitHook('app', { ...secretRefs, branches: ['none'] });
    const bad = `slack:\n  team: {webhookURL: "${slackPath}", x: "${forgeToken}}`;
    await s.kubeGit.writeNotifications(bad);
    await waitFor(() => s.kubeGit.output().includes('the last good one is kept'), { what: 'the complaint' });
    await s.kubeGit.writeNotifications(`slack: {team: {webhookURL: "${slackPath}"}, ${slackPath}: 1}`);
    await waitFor(() => s.kubeGit.output().split('the last good one is kept').length === 3, { what: 'another' });
    const headers = {
      'content-type': 'application/json',
      'x-github-event': 'push',
      'x-hub-signature-256': webhookSecret,
    };
    const answer = await fetch(`${s.kubeGit.url}/github`, { method: 'POST', headers, body: webhookSecret });
    assert.equal(answer.status, 401);
    assertClean(await answer.text(), 'the answer');
    assertClean(s.kubeGit.output(), "kube-git's output");
  });
});
