import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { type Forge, startForge } from '../../test/env/forge.ts';
import { type Fault, type FaultProxy, startProxy } from '../../test/env/proxy.ts';
import { systemClock } from '../clock.ts';
import { createHttpGet } from '../http.ts';
import type { DeliveryLog, LogOf } from './delivery-log.ts';
import { github } from './github.ts';

const token = 'ghp_LogTest0123456789';
const { signal } = new AbortController();
const httpGet = createHttpGet({ clock: systemClock, userAgent: 'test' });

interface Fixture {
  readonly forge: Forge;
  readonly proxy: FaultProxy;
  readonly log: DeliveryLog;
  readonly of: LogOf;
  /** Pushes once; its delivery fails, because nobody listens. */
  push(): Promise<void>;
}

/** Before a forge with a webhook to a port where nobody listens, in pages of two. */
async function start(t: TestContext, fields: object = {}): Promise<Fixture> {
  const webhookUrl = 'http://127.0.0.1:9/github';
  const forge = await startForge({ secret: 's'.repeat(16), webhookUrl, token, logPageSize: 2 });
  const proxy = await startProxy({ target: new URL(forge.url) });
  t.after(() => Promise.all([forge.stop(), proxy.close()]));
  const repository = await forge.createRepository('acme/app');
  const entry = github.parse({ token, api: `${proxy.url}/api/v3`, ...fields }, 'github.acme');
  const log = entry.openLog?.(httpGet);
  assert.ok(log);
  const push = async (): Promise<void> => {
    const before = (await repository.ref('refs/heads/main')) ?? '0'.repeat(40);
    const after = await repository.commit({ a: `${Math.random()}` });
    await forge.announce({ repository: 'acme/app', ref: 'refs/heads/main', before, after });
  };
  return { forge, proxy, log, push, of: { repository: repository.url, namespace: 'ci' } };
}

describe('the log of deliveries', () => {
  it('names the webhooks that are active, send pushes and lead to the path', async (t) => {
    const { log, of, proxy } = await start(t);
    const hooks = [
      { id: 1, active: true, events: ['push'], config: { url: 'https://a.example.com/github' } },
      { id: 2, active: true, events: ['*'], config: { url: 'https://b.example.com/kube-git/github?x' } },
      { id: 3, active: false, events: ['push'], config: { url: 'https://a.example.com/github' } },
      { id: 4, active: true, events: ['issues'], config: { url: 'https://a.example.com/github' } },
      { id: 5, active: true, events: ['push'], config: { url: 'https://a.example.com/other' } },
      { id: 6, active: true, events: ['push'], config: {} },
    ];
    assert.equal((await log.hooks(of, '/github', signal)).length, 1);
    proxy.rule(() => ({ kind: 'answer', status: 200, body: JSON.stringify(hooks) }));
    assert.deepEqual(await log.hooks(of, '/github', signal), ['1', '2']);
  });

  it('gives every attempt since a time, page after page, and no page more', async (t) => {
    const { log, of, push, forge, proxy } = await start(t);
    for (let i = 0; i < 5; i++) await push();
    const [id = ''] = await log.hooks(of, '/github', signal);
    const all = await log.attempts(of, { id, sinceMs: 0 }, signal);
    assert.deepEqual(
      all.map(({ guid }) => guid),
      forge.deliveries.map((one) => one.id).reverse(),
    );
    assert.deepEqual([...new Set(all.map(({ statusCode, event }) => `${event} ${statusCode}`))], ['push 502']);
    const before = proxy.log.length;
    const sinceMs = all[1]?.deliveredMs ?? 0;
    const some = await log.attempts(of, { id, sinceMs }, signal);
    assert.ok(some.length >= 2 && some.every(({ deliveredMs }) => deliveredMs >= sinceMs));
    assert.ok(proxy.log.length - before <= 3);
  });

  it('gives what was sent, with its headers in lower case', async (t) => {
    const { log, of, push, forge } = await start(t);
    await push();
    const [hookId = ''] = await log.hooks(of, '/github', signal);
    const [attempt] = await log.attempts(of, { id: hookId, sinceMs: 0 }, signal);
    const { headers, payload } = await log.read(of, { hookId, id: attempt?.id ?? '' }, signal);
    assert.equal(headers['x-github-delivery'], forge.deliveries[0]?.id);
    assert.deepEqual(payload, JSON.parse(forge.deliveries[0]?.request.body ?? ''));
  });

  it('asks with the tag of what it knows, so that what has not changed is not counted', async (t) => {
    const { log, of, push, proxy } = await start(t);
    await push();
    const [id = ''] = await log.hooks(of, '/github', signal);
    for (const statuses of [[200], [304]]) {
      const from = proxy.log.length;
      assert.equal((await log.attempts(of, { id, sinceMs: 0 }, signal)).length, 1);
      assert.deepEqual(
        proxy.log.slice(from).map(({ status }) => status),
        statuses,
      );
    }
    await push();
    assert.equal((await log.attempts(of, { id, sinceMs: 0 }, signal)).length, 2);
  });

  const refusals: readonly (readonly [string, Omit<Extract<Fault, { kind: 'answer' }>, 'kind'>, string, number?])[] = [
    ['401', { status: 401, body: '{"message":"Bad credentials"}' }, 'NotificationUnauthorized'],
    ['403', { status: 403, body: '{"message":"Resource not accessible"}' }, 'NotificationUnauthorized'],
    ['404', { status: 404 }, 'NotificationNotFound'],
    ['429 with Retry-After', { status: 429, headers: { 'retry-after': '90' } }, 'RateLimited', 90_000],
    ['403 of an exhausted limit', { status: 403, headers: { 'x-ratelimit-remaining': '0' } }, 'RateLimited', 60_000],
    ['500', { status: 500 }, 'SinkUnavailable'],
    ['a page that is not JSON', { status: 200, body: '<html>' }, 'SinkUnavailable'],
    ['JSON of another shape', { status: 200, body: '{"a":[]}' }, 'SinkUnavailable'],
  ];
  for (const [name, answer, reason, retryAfterMs] of refusals) {
    it(`says ${reason} of ${name}`, async (t) => {
      const { log, of, proxy } = await start(t);
      proxy.rule(() => ({ kind: 'answer', ...answer }));
      const error = await log.hooks(of, '/github', signal).catch((thrown: unknown) => thrown);
      assert.ok(error instanceof Error && 'reason' in error);
      assert.equal(error.reason, reason);
      assert.equal('retryAfterMs' in error ? error.retryAfterMs : undefined, retryAfterMs);
      if (reason === 'NotificationNotFound')
        assert.match(error.message, /Let the token of github\.acme read the webhooks/);
      assert.ok(!error.message.includes(token));
    });
  }

  it('takes no more than the cursor from a link, so that the token goes to no other host, and ends where pages do not', async (t) => {
    const { log, of, proxy } = await start(t);
    const attempt = { id: 1, guid: 'g', delivered_at: '2026-11-22T12:00:00Z', event: 'push', status_code: 500 };
    const link = '<http://127.0.0.1:9/elsewhere?cursor=a%26b>; rel="next"';
    proxy.rule(() => ({ kind: 'answer', status: 200, body: JSON.stringify([attempt]), headers: { link } }));
    assert.equal((await log.attempts(of, { id: '1', sinceMs: 0 }, signal)).length, 50);
    assert.deepEqual([proxy.log.length, proxy.log[1]?.query.get('cursor')], [50, 'a&b']);
  });

  it('is not opened for a repository of another host, nor for whom the entry is not meant', async (t) => {
    const { log, of } = await start(t, { namespaces: ['ci'] });
    log.check(of);
    assert.throws(() => log.check({ ...of, repository: 'https://github.com/acme/app' }), { reason: 'WrongHost' });
    assert.throws(() => log.check({ ...of, namespace: 'other' }), { reason: 'NotAllowed' });
  });

  it("does not exist for Gitea's API", () => {
    const entry = github.parse({ token, api: 'https://git.example.com/api/v1/' }, 'github.gitea');
    assert.equal(entry.openLog, undefined);
  });
});
