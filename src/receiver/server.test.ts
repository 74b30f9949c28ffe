import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { pushPayload, startTestReceiver, type TestReceiver, testSecret } from '../../test/env/receiver.ts';
import { waitFor } from '../../test/env/wait.ts';

const repository = 'https://git.example.com/acme/app';
const body = JSON.stringify(pushPayload());
const hmac = (algorithm: string, key: string): string => createHmac(algorithm, key).update(body).digest('hex');
const rightSignature = `sha256=${hmac('sha256', testSecret)}`;

function post(receiver: TestReceiver, headers: Record<string, string>, path = '/github'): Promise<Response> {
  const type = { 'content-type': 'application/json', 'x-github-event': 'push' };
  return fetch(`${receiver.url}${path}`, { method: 'POST', body, headers: { ...type, ...headers } });
}

describe('the server', () => {
  it('answers 405 with Allow to every method but POST, known path or not', async (t) => {
    const receiver = await startTestReceiver(t);
    for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      for (const path of ['/github', '/', '/metrics']) {
        const answer = await fetch(`${receiver.url}${path}`, { method });
        assert.deepEqual([answer.status, answer.headers.get('allow')], [405, 'POST'], `${method} ${path}`);
        await answer.arrayBuffer();
      }
    }
  });

  it('gives an unknown path and every bad signature the same 401, and asks the API server nothing', async (t) => {
    const receiver = await startTestReceiver(t);
    await receiver.addGitHook('all', { repository });
    const signatures: readonly Record<string, string>[] = [
      {},
      { 'x-hub-signature-256': '' },
      { 'x-hub-signature-256': 'sha256=' },
      { 'x-hub-signature-256': 'abc' },
      { 'x-hub-signature-256': `sha256=${'a'.repeat(10_000)}` },
      { 'x-hub-signature-256': `sha256=${'z'.repeat(64)}` },
      { 'x-hub-signature-256': `${rightSignature}, ${rightSignature}` },
      { 'x-hub-signature': `sha1=${hmac('sha1', testSecret)}` },
      { 'x-hub-signature-256': `sha1=${hmac('sha1', testSecret)}` },
      ...['', 'SECRET', 'changeme'].map((key) => ({ 'x-hub-signature-256': `sha256=${hmac('sha256', key)}` })),
    ];
    const paths = ['/', '/gitlab', '/github/', '/GITHUB', '/github/ns/name', '//github'];
    const answers = [
      ...(await Promise.all(signatures.map((headers) => post(receiver, headers)))),
      ...(await Promise.all(paths.map((path) => post(receiver, { 'x-hub-signature-256': rightSignature }, path)))),
    ];
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [401]);
    const texts = new Set(await Promise.all(answers.map((answer) => answer.text())));
    assert.equal(texts.size, 1);
    assert.equal(receiver.proxy.log.length, 0);
    assert.match(await receiver.metrics.text(), /kubegit_deliveries_total\{[^}]*decision="unverified"[^}]*\} \d/);
    assert.equal((await post(receiver, { 'x-hub-signature-256': rightSignature })).status, 202);
  });

  it('answers 401 to everything where no secret is configured, an empty one included, and counts it as such', async (t) => {
    for (const secrets of [[], [''], [' \n']]) {
      const receiver = await startTestReceiver(t, { secrets });
      for (const key of ['', ' \n', testSecret]) {
        const answer = await post(receiver, { 'x-hub-signature-256': `sha256=${hmac('sha256', key)}` });
        assert.equal(answer.status, 401);
        await answer.text();
      }
      assert.match(await receiver.metrics.text(), /kubegit_webhook_secret_configured\{forge="github"\} 0/);
    }
  });

  it('takes JSON and forms, with parameters and in any case, and answers 415 to other content types', async (t) => {
    const receiver = await startTestReceiver(t);
    await receiver.addGitHook('all', { repository });
    const status = async (type: string, content = JSON.stringify(pushPayload())) =>
      (await receiver.send({ body: content, headers: { 'content-type': type } })).status;
    assert.equal(await status('Application/JSON; charset=utf-8'), 202);
    const form = new URLSearchParams({ payload: JSON.stringify(pushPayload()) }).toString();
    assert.equal(await status('application/x-www-form-urlencoded', form), 202);
    for (const type of ['text/plain', 'application/jsonx', 'multipart/form-data', '']) {
      assert.equal(await status(type), 415, type);
    }
  });

  it('answers what is in flight when it is closed, and takes no new connections', async (t) => {
    const receiver = await startTestReceiver(t);
    await receiver.addGitHook('all', { repository });
    let release = (): void => undefined;
    const until = new Promise<void>((resolve) => {
      release = resolve;
    });
    receiver.proxy.rule(({ method }) => (method === 'POST' ? { kind: 'hold', until } : undefined));
    const answer = receiver.send({ payload: pushPayload() });
    await waitFor(() => receiver.proxy.log.length > 0, { what: 'the run being created' });
    const closed = receiver.close();
    await waitFor(
      () =>
        post(receiver, {}).then(
          () => false,
          () => true,
        ),
      { what: 'refused connections' },
    );
    release();
    assert.equal((await answer).status, 202);
    await closed;
  });

  it('is not held up by connections that have not sent a whole request when it is closed', async (t) => {
    const receiver = await startTestReceiver(t);
    const sockets = ['', 'POST /github HTTP/1.1\r\nhost: x\r\n'].map((text) => {
      const socket = connect(Number(new URL(receiver.url).port), '127.0.0.1');
      socket.write(text);
      return socket;
    });
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    // A reset is an end as well.
    const ended = sockets.map(
      (socket) => new Promise((resolve) => socket.resume().on('error', resolve).on('close', resolve)),
    );
    await receiver.close();
    await Promise.all(ended);
  });

  it('answers 503 when something of its own fails, and says nothing of it', async (t) => {
    const receiver = await startTestReceiver(t, {
      get nowMs(): number {
        throw new Error('canary');
      },
    });
    const { status, outcome } = await receiver.send({ payload: pushPayload() });
    assert.deepEqual([status, outcome.reason, JSON.stringify(outcome).includes('canary')], [503, 'Failed', false]);
  });

  it('answers 200 requests at once and holds nothing afterwards', async (t) => {
    const receiver = await startTestReceiver(t);
    await receiver.addGitHook('all', { repository });
    const sent = await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        receiver.send({ payload: pushPayload(), ...(index % 2 === 0 ? {} : { secret: 'wrong' }) }),
      ),
    );
    assert.equal(sent.filter(({ status }) => status === 202).length, 100);
    assert.equal(sent.filter(({ status }) => status === 401).length, 100);
    assert.equal((await receiver.runs()).length, 100);
    assert.match(await receiver.metrics.text(), /kubegit_bytes_in_flight 0\n/);
  });
});
