import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { type Fault, startProxy } from '../test/env/proxy.ts';
import { startSink, testHttp, testTime } from '../test/env/sink.ts';
import { waitFor } from '../test/env/wait.ts';
import { WaitingError } from './errors.ts';
import type { HttpAnswer } from './http.ts';

/** As long as anyone would wait for nothing; the tests' time limit is shorter. */
const longMs = 60_000;
const forever = () => new AbortController().signal;
const canary = 'c4n4ry-p4th';

function post(url: string, timeLimitMs?: number, signal = forever()): Promise<HttpAnswer> {
  return testHttp(timeLimitMs)({ url: `${url}/${canary}`, json: { text: 'grüße' }, signal });
}

async function failure(sent: Promise<HttpAnswer>): Promise<WaitingError> {
  const error = await sent.then(
    (answer) => assert.fail(`answered ${answer.status}`),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof WaitingError, String(error));
  assert.ok(!error.message.includes(canary), error.message);
  return error;
}

/** A server whose answer begins and is then written by `go`, for answers no proxy would make. */
async function startServer(t: TestContext, go: (response: ServerResponse) => void): Promise<string> {
  const server = createServer((request, response) => {
    request.resume();
    go(response);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('createHttpPost', () => {
  it('sends JSON with its own name and gives back what came', async (t) => {
    const sink = await startSink(t, { kind: 'answer', status: 201, headers: { 'x-a': 'b' }, body: '{"id":1}' });
    const answer = await post(sink.url);
    assert.deepEqual(
      [answer.status, answer.text, answer.headers.get('x-a'), answer.time],
      [201, '{"id":1}', 'b', testTime],
    );
    const [request] = sink.log;
    assert.equal(request?.method, 'POST');
    assert.equal(request?.headers['content-type'], 'application/json');
    assert.equal(request?.headers['user-agent'], 'kube-git/test');
    assert.equal(request?.body, '{"text":"grüße"}');
  });

  it('does not follow a redirect', async (t) => {
    const other = await startSink(t);
    const sink = await startSink(t, { kind: 'answer', status: 307, headers: { location: other.url } });
    assert.equal((await post(sink.url)).status, 307);
    assert.equal(other.log.length, 0);
  });

  it('calls a refused connection that', async (t) => {
    const sink = await startSink(t);
    await sink.down();
    const error = await failure(post(sink.url));
    assert.equal(error.reason, 'SinkUnreachable');
    assert.equal(error.message, `${new URL(sink.url).host} cannot be reached: the connection was refused`);
  });

  it('calls an unknown host that', async () => {
    const error = await failure(post('http://kube-git-test.invalid'));
    assert.match(error.message, /^kube-git-test\.invalid cannot be reached: its name /);
  });

  it('calls a reset that', async (t) => {
    const sink = await startSink(t, { kind: 'drop' });
    assert.match((await failure(post(sink.url))).message, /: the connection broke$/);
  });

  it('gives up on a server that does not answer', async (t) => {
    const sink = await startSink(t, { kind: 'delay', ms: longMs });
    assert.match((await failure(post(sink.url, 200))).message, /: no answer within 0\.2 s$/);
  });

  it('bears headers without end', async (t) => {
    const sink = await startSink(t, { kind: 'answer', status: 200, headers: { link: 'x'.repeat(256 * 1024) } });
    assert.match((await failure(post(sink.url))).message, /: its answer has too many headers$/);
  });

  it('rejects with the reason of the signal it was given', async (t) => {
    const sink = await startSink(t, { kind: 'delay', ms: longMs });
    const stop = new AbortController();
    const sent = post(sink.url, longMs, stop.signal);
    await waitFor(() => sink.log.length > 0, { what: 'the request' });
    stop.abort(new Error('shutting down'));
    await assert.rejects(sent, /^Error: shutting down$/);
    await assert.rejects(post(sink.url, longMs, stop.signal), /^Error: shutting down$/);
  });

  it('keeps no listener on the signal it was given', async (t) => {
    const sink = await startSink(t);
    const { signal } = new AbortController();
    await post(sink.url, 5_000, signal);
    assert.deepEqual(getEventListeners(signal, 'abort'), []);
  });
});

describe('createHttpPost: bodies', () => {
  it('reads 64 KiB of an endless body and ends the connection', async (t) => {
    let closed = false;
    let written = 0;
    const chunk = Buffer.alloc(64 * 1024, 'x');
    const url = await startServer(t, (response) => {
      response.on('close', () => {
        closed = true;
      });
      const more = (): void => {
        while (!closed && response.write(chunk)) written += chunk.length;
        if (!closed) response.once('drain', more);
      };
      more();
    });
    const answer = await post(url);
    assert.equal(answer.status, 200);
    assert.equal(answer.text.length, 64 * 1024);
    await waitFor(() => closed, { what: 'the end of the connection' });
    assert.ok(written < 64 * 1024 * 1024, `${written} bytes`);
  });

  const broken: readonly (readonly [name: string, fault: Fault])[] = [
    ['stops', { kind: 'silence', afterBytes: 5 }],
    ['breaks off', { kind: 'reset', afterBytes: 5 }],
  ];
  for (const [name, fault] of broken) {
    it(`takes a 2xx for what it is though its body ${name}: sending again would tell twice`, async (t) => {
      const sink = await startSink(t, { kind: 'answer', status: 200, body: 'hello world' });
      const proxy = await startProxy({ target: new URL(sink.url), rules: [() => fault] });
      t.after(() => proxy.close());
      const answer = await post(proxy.url, 300);
      assert.equal(answer.status, 200);
      assert.ok('hello'.startsWith(answer.text), answer.text);
    });
  }

  it('reads a body that is not text', async (t) => {
    const url = await startServer(t, (response) => response.end(Buffer.from([0xff, 0x00, 0xc3])));
    assert.equal((await post(url)).text, '\ufffd\u0000\ufffd');
  });
});
