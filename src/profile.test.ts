import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { waitFor } from '../test/env/wait.ts';
import { systemClock } from './clock.ts';
import type { Log } from './log.ts';
import { startProfile } from './profile.ts';

interface Opened {
  readonly port: number;
  readonly messages: readonly string[];
  close(): Promise<void>;
  post(path: string, init?: RequestInit): Promise<Response>;
}

async function open(t: TestContext): Promise<Opened> {
  const messages: string[] = [];
  const keep = (_: unknown, message: string): number => messages.push(message);
  const log = { debug: keep, info: keep, warn: keep, error: keep } as unknown as Log;
  const { port, close } = await startProfile({ port: 0, clock: systemClock, log });
  t.after(close);
  const post = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', ...init });
  return { port, messages, close, post };
}

/** One request as it stands, with headers that fetch does not allow; returns the answer. */
async function raw(port: number, request: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.end(request);
  return text(socket);
}

describe('startProfile', () => {
  it('says in the log that it is open and what for', async (t) => {
    const { messages } = await open(t);
    assert.match(messages[0]!, /profile server listening: its heap snapshots hold every secret/);
  });

  it('sends a heap snapshot that V8 can read again, with the strings of this process', async (t) => {
    const { post } = await open(t);
    const canary = { held: `canary-${process.pid}` };
    const answer = await post('/heap-snapshot');
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get('content-disposition')!, /filename="kube-git\.heapsnapshot"/);
    const { snapshot, strings } = (await answer.json()) as { snapshot: { node_count: number }; strings: string[] };
    assert.ok(snapshot.node_count > 10_000);
    assert.ok(strings.includes(canary.held));
  });

  it('sends a CPU profile of the seconds asked for', async (t) => {
    const { post } = await open(t);
    const answer = await post('/cpu-profile?seconds=1');
    assert.match(answer.headers.get('content-disposition')!, /filename="kube-git\.cpuprofile"/);
    const profile = (await answer.json()) as { nodes: unknown[]; startTime: number; endTime: number };
    assert.ok(profile.nodes.length > 0);
    const microseconds = profile.endTime - profile.startTime;
    assert.ok(microseconds > 900_000 && microseconds < 60_000_000, `${microseconds}`);
  });

  it('takes one at a time, and the next when the client of the first has left', async (t) => {
    const { post, messages } = await open(t);
    const leaving = new AbortController();
    const first = post('/cpu-profile?seconds=60', { signal: leaving.signal }).catch((error: Error) => error.name);
    await waitFor(() => messages.includes('profile asked for'), { what: 'the first to begin' });
    assert.equal((await post('/heap-snapshot')).status, 409);
    leaving.abort();
    assert.equal(await first, 'AbortError');
    await waitFor(() => messages.includes('profile not sent'), { what: 'the first to end' });
    assert.equal((await post('/cpu-profile?seconds=1')).status, 200);
  });

  it('ends what is being taken when it is closed', async (t) => {
    const { post, messages, close } = await open(t);
    const first = post('/cpu-profile?seconds=60').catch(() => 'cut off');
    await waitFor(() => messages.includes('profile asked for'), { what: 'it to begin' });
    await close();
    assert.equal(await first, 'cut off');
    assert.equal(messages.at(-1), 'profile not sent');
  });

  const refusals: readonly (readonly [what: string, request: string, status: number])[] = [
    ['another path', 'POST / HTTP/1.1\r\nHost: localhost', 404],
    ['a path of Object', 'POST /constructor HTTP/1.1\r\nHost: localhost', 404],
    ['GET', 'GET /heap-snapshot HTTP/1.1\r\nHost: localhost:6060', 405],
    ['0 seconds', 'POST /cpu-profile?seconds=0 HTTP/1.1\r\nHost: 127.0.0.1', 400],
    ['61 seconds', 'POST /cpu-profile?seconds=61 HTTP/1.1\r\nHost: [::1]:6060', 400],
    ['seconds that are no number', 'POST /cpu-profile?seconds=1e1 HTTP/1.1\r\nHost: localhost', 400],
    ['a page in a browser', 'POST /heap-snapshot HTTP/1.1\r\nHost: localhost\r\nOrigin: https://example.com', 403],
    ['another name for this address', 'POST /heap-snapshot HTTP/1.1\r\nHost: rebound.example.com:6060', 403],
  ];
  for (const [what, request, status] of refusals) {
    it(`answers ${what} with ${status}`, async (t) => {
      const { port } = await open(t);
      const answer = await raw(port, `${request}\r\nConnection: close\r\n\r\n`);
      assert.equal(answer.split(' ')[1], String(status));
      assert.ok(answer.length < 500);
    });
  }

  it('listens on 127.0.0.1 only: what listens everywhere is to be reached at 127.0.0.2 too', async (t) => {
    const { port } = await open(t);
    const [error] = (await once(connect(port, '127.0.0.2'), 'error')) as [Error];
    assert.match(error.message, /ECONNREFUSED/);
  });

  it('names the flag when the port is taken', async (t) => {
    const { port } = await open(t);
    const log = {} as Log;
    await assert.rejects(
      startProfile({ port, clock: systemClock, log }),
      /the profile port \d+ .*flag -profile-port.*EADDRINUSE/,
    );
  });
});
