import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { GitFetch } from './forge/git-front.ts';
import type { PushPayload } from './forge/payload.ts';
import type { DeliveryRecord } from './forge/webhooks.ts';
import { type Forge, startForge } from './forge.ts';
import { runGit } from './git-repository.ts';

const zeros = '0'.repeat(40);
const deadlineMs = 10_000;

interface Received {
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A webhook's receiver that keeps what it gets and answers 202. */
async function startReceiver(t: TestContext): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    received.push({ headers: request.headers, body: Buffer.concat(await request.toArray()).toString() });
    response.writeHead(202, { 'content-type': 'application/json' }).end('{"runs":["app-1"]}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close().closeAllConnections());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/github`, received };
}

async function setUp(t: TestContext) {
  const receiver = await startReceiver(t);
  const forge = await startForge({ secret: 'sesame', webhookUrl: receiver.url, token: 'right', now: () => 1.8e12 });
  t.after(() => forge.stop());
  const repository = await forge.createRepository('acme/app');
  const folder = await mkdtemp(join(tmpdir(), 'forge-test-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await runGit(folder, ['init', '--quiet', '--initial-branch=main']);
  await runGit(folder, ['remote', 'add', 'origin', repository.url]);
  const git = (...args: string[]) => runGit(folder, args);
  const commit = async (file: string, text: string): Promise<string> => {
    await writeFile(join(folder, file), text);
    await git('add', '.');
    await git('commit', '--quiet', '-m', `Change ${file}`);
    return git('rev-parse', 'HEAD');
  };
  return { forge, receiver, repository, git, commit, folder };
}

/** Pushes and waits until the webhook has answered as many deliveries as refs changed. */
async function pushed(forge: Forge, push: Promise<unknown>, refs = 1): Promise<DeliveryRecord[]> {
  const seen: DeliveryRecord[] = [];
  const all = Promise.withResolvers<void>();
  const off = forge.on('delivery', (delivery) => {
    if (seen.push(delivery) === refs) all.resolve();
  });
  const late = AbortSignal.timeout(deadlineMs);
  late.addEventListener('abort', () => all.reject(new Error(`${seen.length} of ${refs} deliveries`)));
  await Promise.all([push, all.promise]);
  off();
  return seen;
}

const payloadOf = (delivery: DeliveryRecord | undefined): PushPayload => JSON.parse(delivery?.request.body ?? '');

describe('forge: webhooks', () => {
  it('signs a push of a new branch and tells of its commits as GitHub does', async (t) => {
    const { forge, receiver, git, commit } = await setUp(t);
    const first = await commit('job.yaml', 'a');
    const second = await commit('other.txt', 'b');
    const [delivery] = await pushed(forge, git('push', '--quiet', 'origin', 'main'));
    const { headers, body } = receiver.received[0] as Received;
    const signature = createHmac('sha256', 'sesame').update(body).digest('hex');
    assert.equal(headers['x-hub-signature-256'], `sha256=${signature}`);
    assert.equal(headers['x-github-event'], 'push');
    assert.match(String(headers['x-github-delivery']), /^[0-9a-f-]{36}$/);
    assert.match(String(headers['x-github-hook-id']), /^\d+$/);
    const { head_commit: head, repository, commits, ...push } = JSON.parse(body) as PushPayload;
    assert.deepEqual(
      [push.ref, push.before, push.after, push.created, push.deleted, push.forced],
      ['refs/heads/main', zeros, second, true, false, false],
    );
    assert.deepEqual(
      commits.map((each) => [each.id, each.added]),
      [
        [first, ['job.yaml']],
        [second, ['other.txt']],
      ],
    );
    assert.deepEqual([head?.id, head?.author.name, head?.message], [second, 'Ada Test', 'Change other.txt']);
    assert.deepEqual(
      [repository['clone_url'], repository['full_name'], repository['html_url'], repository['pushed_at']],
      [`${forge.url}/acme/app.git`, 'acme/app', `${forge.url}/acme/app`, 1.8e9],
    );
    assert.deepEqual([delivery?.answer?.status, delivery?.answer?.body], [202, '{"runs":["app-1"]}']);
  });

  it('tells of a force push, tags of both kinds and deletions', async (t) => {
    const { forge, git, commit } = await setUp(t);
    const first = await commit('a', '1');
    const second = await commit('a', '2');
    await pushed(forge, git('push', '--quiet', 'origin', 'main'));
    const [forced] = await pushed(forge, git('push', '--quiet', '--force', 'origin', `${first}:main`));
    assert.deepEqual(
      [payloadOf(forced).forced, payloadOf(forced).before, payloadOf(forced).after],
      [true, second, first],
    );
    await git('tag', 'light', first);
    await git('tag', '-a', '-m', 'One', 'v1', first);
    await git('tag', 'blob', await git('rev-parse', `${first}:a`));
    const tags = await pushed(forge, git('push', '--quiet', 'origin', '--tags'), 3);
    const told = new Map(tags.map(payloadOf).map((payload) => [payload.ref, payload]));
    assert.equal(told.get('refs/tags/light')?.after, first);
    assert.equal(told.get('refs/tags/v1')?.after, await git('rev-parse', 'v1'));
    assert.equal(told.get('refs/tags/v1')?.head_commit?.id, first);
    assert.equal(told.get('refs/tags/blob')?.head_commit, null);
    const [deleted] = await pushed(forge, git('push', '--quiet', 'origin', ':main'));
    const gone = payloadOf(deleted);
    assert.deepEqual([gone.deleted, gone.before, gone.after, gone.head_commit], [true, first, zeros, null]);
  });

  it('redelivers the same id and bytes, pings a new webhook, and records a receiver that is gone', async (t) => {
    const { forge, receiver, git, commit } = await setUp(t);
    await commit('a', '1');
    const [delivery] = await pushed(forge, git('push', '--quiet', 'origin', 'main'));
    const again = await forge.redeliver(delivery?.id ?? '');
    assert.deepEqual([again.redelivery, again.id, again.request], [true, delivery?.id, delivery?.request]);
    assert.equal(receiver.received[1]?.body, receiver.received[0]?.body);
    const ping = await forge.addWebhook(receiver.url);
    assert.deepEqual([ping.event, ping.answer?.status], ['ping', 202]);
    assert.notEqual(ping.hookId, delivery?.hookId);
    const lost = await forge.addWebhook('http://127.0.0.1:1/github');
    assert.equal(lost.answer, undefined);
    assert.match(lost.error ?? '', /ECONNREFUSED|bad port/);
    await assert.rejects(forge.redeliver('none'), /no delivery none/);
  });

  it('announces a change that was made without a push', async (t) => {
    const { forge, repository } = await setUp(t);
    const after = await repository.commit({ a: '1' });
    await forge.announce({ repository: 'acme/app', ref: 'refs/heads/main', before: zeros, after });
    assert.equal(payloadOf(forge.deliveries[0]).head_commit?.id, after);
  });
});

describe('forge: git', () => {
  it('says which objects a client fetched', async (t) => {
    const { forge, repository, folder, git } = await setUp(t);
    const id = await repository.commit({ 'job.yaml': 'a' });
    const fetches: GitFetch[] = [];
    const both = Promise.withResolvers<void>();
    forge.on('fetch', (fetch) => {
      if (fetches.push(fetch) === 2) both.resolve();
    });
    await git('clone', '--quiet', '--no-checkout', '--filter=blob:none', repository.url, 'partial');
    await runGit(join(folder, 'partial'), ['cat-file', '-p', `${id}:job.yaml`]);
    await both.promise;
    const blob = await repository.git(['rev-parse', `${id}:job.yaml`]);
    assert.deepEqual(
      fetches.map(({ wants, filter }) => [wants, filter]),
      [
        [[id], 'blob:none'],
        [[blob], 'blob:none'],
      ],
    );
    assert.match(fetches[0]?.userAgent ?? '', /^git\//);
  });
});

describe('forge: commit statuses', () => {
  const sha = 'a'.repeat(40);
  const post = (url: string, body: string, authorization = 'Bearer right') =>
    fetch(`${url}/repos/acme/app/statuses/${sha}`, { method: 'POST', body, headers: { authorization } });

  it('keeps a status and lists the newest first, with and without the API prefix', async (t) => {
    const { forge } = await setUp(t);
    const pending = { state: 'pending', context: 'ci', description: 'started', target_url: 'http://x/y' };
    assert.equal((await post(forge.apiUrl, JSON.stringify(pending))).status, 201);
    const basic = `Basic ${Buffer.from('right:x-oauth-basic').toString('base64')}`;
    assert.equal((await post(forge.url, JSON.stringify({ state: 'success', context: 'ci' }), basic)).status, 201);
    assert.deepEqual(
      forge.statuses.map(({ state, context }) => [state, context]),
      [
        ['pending', 'ci'],
        ['success', 'ci'],
      ],
    );
    assert.equal(forge.statuses[0]?.description, 'started');
    for (const path of [`statuses/${sha}`, `commits/${sha}/statuses`]) {
      const listed = (await (await fetch(`${forge.apiUrl}/repos/acme/app/${path}`)).json()) as { state: string }[];
      assert.deepEqual(
        listed.map(({ state }) => state),
        ['success', 'pending'],
      );
    }
  });

  const refused = [
    ['an unknown state', '{"state":"Success"}', 'Bearer right', 422],
    [
      'a description of 141 characters',
      JSON.stringify({ state: 'error', description: 'ä'.repeat(141) }),
      'Bearer right',
      422,
    ],
    ['a target that is not http', '{"state":"error","target_url":"javascript:x"}', 'Bearer right', 422],
    ['no JSON', '{', 'Bearer right', 400],
    ['a wrong token', '{"state":"error"}', 'Bearer wrong', 401],
  ] as const;
  for (const [what, body, authorization, status] of refused) {
    it(`refuses ${what} with ${status}`, async (t) => {
      const { forge } = await setUp(t);
      assert.equal((await post(forge.apiUrl, body, authorization)).status, status);
      assert.deepEqual(forge.statuses, []);
    });
  }
});

describe('forge: slack', () => {
  it('keeps a message and answers ok, and refuses what is not JSON', async (t) => {
    const { forge } = await setUp(t);
    const answer = await fetch(forge.slackUrl('ci'), { method: 'POST', body: '{"text":"hello"}' });
    assert.deepEqual([answer.status, await answer.text()], [200, 'ok']);
    assert.deepEqual(forge.messages, [{ channel: 'ci', body: { text: 'hello' }, receivedAt: 1.8e12 }]);
    const refused = await fetch(forge.slackUrl('ci'), { method: 'POST', body: 'hello' });
    assert.deepEqual([refused.status, await refused.text()], [400, 'invalid_payload']);
  });
});
