// A company's network: a private certificate authority and a proxy between kube-git and everything outside. One flag and
// two variables serve git, the forge's API and chat; the API server is not reached through the proxy.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startForwardProxy } from '../env/forward-proxy.ts';
import { runToExit } from '../env/kube-git.ts';
import { freePort } from '../env/ports.ts';
import { forgeToken, jobManifest, slackPath, startScenario } from '../env/scenario.ts';
import { privateAuthority } from '../env/tls-authority.ts';
import { startTlsFront } from '../env/tls-front.ts';
import { waitFor } from '../env/wait.ts';

describe('behind a proxy and a private certificate authority', () => {
  it('a push runs its Job, and the forge and the chat are told', async (t) => {
    const authority = await privateAuthority(t);
    const port = await freePort();
    const login = { username: 'kube-git', password: 'canary/proxy' };
    // Both names lead to the forge of the tests, which is the chat as well.
    const proxy = await startForwardProxy(t, { hosts: { '127.0.0.1': port, 'chat.test': port }, credentials: login });
    const url = 'https://dashboard.test/${NAMESPACE}/${NAME}';
    const notifications = JSON.stringify({
      github: { forge: { url, token: forgeToken, api: `https://127.0.0.1:${port}/api/v3` } },
      slack: { team: { url, webhookURL: `https://chat.test/slack/${slackPath}`, channel: '#ci' } },
    });
    const s = await startScenario(t, {
      notifications: () => notifications,
      args: ['-ca-file', authority.file],
      env: { HTTPS_PROXY: proxy.url, NO_PROXY: 'none.test' },
    });
    const pair = authority.issue(['127.0.0.1', 'chat.test']);
    await startTlsFront(t, { target: new URL(s.forge.url), pair, port });
    await s.gitHook('app', { repository: `https://127.0.0.1:${port}/acme/app.git` });
    const commit = await s.push({ 'job.yaml': jobManifest });
    await s.untilRun(commit, ({ status }) => status?.phase === 'Running', 'Running');
    await waitFor(() => s.forge.statuses.length > 0 && s.forge.messages.length > 0, {
      what: 'the status and the message',
      deadlineMs: 30_000,
    });
    assert.equal(s.forge.statuses[0]?.state, 'pending');
    const passed = new Set(proxy.log.filter((line) => !line.startsWith('407 ')));
    assert.deepEqual(passed, new Set([`CONNECT 127.0.0.1:${port}`, 'CONNECT chat.test:443']));
    assert.doesNotMatch(s.kubeGit.output(), /canary/);
  });

  it('without -ca-file the run waits and says so', async (t) => {
    const authority = await privateAuthority(t);
    const s = await startScenario(t);
    const { port } = await startTlsFront(t, { target: new URL(s.forge.url), pair: authority.issue(['127.0.0.1']) });
    await s.gitHook('app', { repository: `https://127.0.0.1:${port}/acme/app.git` });
    const commit = await s.push({ 'job.yaml': jobManifest });
    const run = await s.untilRun(commit, ({ status }) => status?.reason === 'RepositoryUnreachable', 'waiting');
    assert.equal(run.status?.phase, 'Pending');
    assert.match(run.status?.message ?? '', /certificate.*-ca-file/);
  });

  it('a proxy that speaks TLS itself, with a certificate of that authority, serves git, forge and chat', async (t) => {
    const authority = await privateAuthority(t);
    const port = await freePort();
    const proxy = await startForwardProxy(t, { hosts: { '127.0.0.1': port, 'chat.test': port } });
    const pair = authority.issue(['127.0.0.1', 'chat.test']);
    const front = await startTlsFront(t, { target: new URL(proxy.url), pair });
    const s = await startScenario(t, {
      notifications: () =>
        JSON.stringify({
          github: { forge: { token: forgeToken, api: `https://127.0.0.1:${port}/api/v3` } },
          slack: { team: { webhookURL: `http://chat.test/slack/${slackPath}` } },
        }),
      args: ['-ca-file', authority.file],
      env: { HTTPS_PROXY: `https://127.0.0.1:${front.port}`, HTTP_PROXY: `https://127.0.0.1:${front.port}` },
    });
    await startTlsFront(t, { target: new URL(s.forge.url), pair, port });
    await s.gitHook('app', { repository: `https://127.0.0.1:${port}/acme/app.git` });
    const commit = await s.push({ 'job.yaml': jobManifest });
    await s.untilRun(commit, ({ status }) => status?.phase === 'Running', 'Running');
    await waitFor(
      () => s.forge.statuses.length > 0 && proxy.log.some((line) => line.startsWith('POST http://chat.test')),
      {
        what: `the status and the message; ${proxy.log.join()}; ${s.kubeGit.output().slice(-1000)}`,
        deadlineMs: 15_000,
      },
    );
  });

  it('a variable that is no proxy ends kube-git at the start, and its password is not shown', async () => {
    // As it is, that password ends the host: git and Node would show what comes before the slash.
    const exit = await runToExit([], { HTTPS_PROXY: 'http://ada:canary/x@proxy.test:3128' });
    assert.deepEqual([exit.code, exit.stdout], [1, '']);
    assert.match(exit.stderr, /^kube-git: HTTPS_PROXY is not the URL of a proxy: [^\n]*\n$/);
    assert.doesNotMatch(exit.stderr, /canary/);
  });

  it('a token as the user of the proxy, without a password, is not shown where the proxy refuses it', async (t) => {
    const proxy = await startForwardProxy(t, { hosts: {}, credentials: { username: 'another', password: '' } });
    const s = await startScenario(t, { env: { HTTPS_PROXY: proxy.url.replace('another:', 'canary-token') } });
    await s.gitHook('app', { repository: 'https://127.0.0.1:1/acme/app.git' });
    const commit = await s.push({ 'job.yaml': jobManifest });
    const run = await s.untilRun(commit, ({ status }) => status?.reason === 'RepositoryUnreachable', 'waiting');
    assert.match(run.status?.message ?? '', /the proxy of HTTPS_PROXY refuses its user and password \(407\)/);
    assert.doesNotMatch(`${s.kubeGit.output()}${JSON.stringify(run)}`, /canary/);
  });
});
