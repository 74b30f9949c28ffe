import assert from 'node:assert/strict';
import { request } from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import { type HealthOptions, startHealth } from './health.ts';
import { createMetrics } from './metrics.ts';

async function start(t: TestContext, changes: Partial<HealthOptions> = {}): Promise<string> {
  const metrics = createMetrics();
  const health = await startHealth({ port: 0, address: '127.0.0.1', metrics, ready: () => [], ...changes });
  t.after(() => health.close());
  return `http://127.0.0.1:${health.port}`;
}

describe('startHealth', () => {
  it('answers /healthz with 200 while nothing is ready', async (t) => {
    const url = await start(t, { ready: () => ['the watch of githooks'] });
    const response = await fetch(`${url}/healthz`);
    assert.equal(response.status, 200);
    assert.equal(await response.text(), 'ok\n');
  });

  it('answers /readyz with 503 and what is waited for, then with 200', async (t) => {
    const waitingFor = ['the watch of githooks'];
    const url = await start(t, { ready: () => waitingFor });
    const before = await fetch(`${url}/readyz?verbose`);
    assert.equal(before.status, 503);
    assert.deepEqual(await before.json(), { ready: false, waitingFor: ['the watch of githooks'] });
    waitingFor.pop();
    const after = await fetch(`${url}/readyz`);
    assert.equal(after.status, 200);
    assert.deepEqual(await after.json(), { ready: true });
  });

  it('answers /metrics as Prometheus reads them', async (t) => {
    const response = await fetch(`${await start(t)}/metrics`);
    assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
    assert.match(await response.text(), /^kubegit_build_info\{/m);
  });

  it('answers HEAD without a body, other methods with 405', async (t) => {
    const url = await start(t);
    const head = await fetch(`${url}/healthz`, { method: 'HEAD' });
    assert.equal(head.status, 200);
    assert.equal(await head.text(), '');
    const post = await fetch(`${url}/healthz`, { method: 'POST', body: 'x' });
    assert.equal(post.status, 405);
    assert.equal(post.headers.get('allow'), 'GET, HEAD');
  });

  for (const path of ['/', '/github', '/healthz/', '/__proto__', '/constructor', '//', '/debug/pprof']) {
    it(`answers ${path} with 404`, async (t) => {
      const url = new URL(await start(t));
      // Not fetch: it would make another path of some of these.
      const status = await new Promise((resolve, reject) => {
        const sent = request({ host: url.hostname, port: url.port, path }, (response) => {
          response.resume();
          resolve(response.statusCode);
        });
        sent.on('error', reject).end();
      });
      assert.equal(status, 404);
    });
  }

  it('names the flag when the port is taken', async (t) => {
    const port = Number(new URL(await start(t)).port);
    await assert.rejects(
      start(t, { port }),
      /^Error: the private port \d+ cannot be listened on \(flag -private-port\)/,
    );
  });

  it('closes though a connection is open', async () => {
    const health = await startHealth({ port: 0, address: '127.0.0.1', metrics: createMetrics(), ready: () => [] });
    const url = `http://127.0.0.1:${health.port}/healthz`;
    await (await fetch(url)).text();
    await health.close();
    await assert.rejects(fetch(url));
  });
});
