import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { startGitServer } from '../../../test/env/git-server.ts';
import { ManualClock } from '../../../test/env/manual-clock.ts';
import { createRefSource } from '../../git/refs.ts';
import type { Log } from '../../log.ts';
import { RefLists } from './ref-lists.ts';

async function start(t: TestContext) {
  const server = await startGitServer();
  const directory = await mkdtemp(join(tmpdir(), 'kube-git-lists-test-'));
  t.after(() => Promise.all([server.stop(), rm(directory, { recursive: true, force: true })]));
  const source = createRefSource({ directory, allowInsecureCredentials: true, log: {} as Log });
  const clock = new ManualClock();
  const { url } = await server.createRepository('acme/app');
  const lists = new RefLists(source, clock);
  const list = (change: { url?: string; credentials?: object; fresh?: boolean } = {}) =>
    lists.list({ url, credentials: {}, fresh: false, ...change }, new AbortController().signal);
  const connections = (): number => server.requests.filter(({ path }) => path.includes('/info/refs')).length;
  return { list, clock, connections };
}

describe('RefLists', () => {
  it('asks once for all who ask at the same time and in the two seconds after', async (t) => {
    const { list, clock, connections } = await start(t);
    await Promise.all([list(), list(), list()]);
    await clock.advance(1_999);
    await list();
    assert.equal(connections(), 1);
    await clock.advance(1);
    await list();
    assert.equal(connections(), 2);
  });

  it('asks again for other credentials, and where the list is to be fresh', async (t) => {
    const { list, connections } = await start(t);
    await list();
    await list({ credentials: { password: 'x' } });
    await list({ fresh: true });
    assert.equal(connections(), 3);
  });

  it('shares a failure as well', async (t) => {
    const { list, connections } = await start(t);
    const url = 'http://127.0.0.1:1/acme/app.git';
    const failures = await Promise.all([1, 2].map(() => list({ url }).catch((error: Error) => error)));
    assert.equal(failures[0], failures[1]);
    assert.equal(connections(), 0);
  });
});
