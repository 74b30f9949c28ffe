import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ManualClock } from '../../test/env/manual-clock.ts';
import { pushPayload } from '../../test/env/receiver.ts';
import { waitFor } from '../../test/env/wait.ts';
import type { Delivery } from '../forge/forge.ts';
import { gitea } from '../forge/gitea.ts';
import { github } from '../forge/github.ts';
import { readDelivery } from './read.ts';
import { Reader, type ReaderOptions } from './reader.ts';

const secret = 'the secret of the reader';
const never = new AbortController().signal;

function start(t: TestContext, options: Partial<ReaderOptions> = {}) {
  const program = join(import.meta.dirname, '../main.ts');
  const clock = new ManualClock();
  const reader = new Reader({ program, clock, largeBytes: 100_000, idleMs: 1000, ...options });
  t.after(() => reader.close());
  return { reader, clock };
}

function sign(body: string): string {
  return createHmac('sha256', secret).update(body).digest('hex');
}

function ofGitHub(body: string, signature = sign(body)): Delivery {
  const headers = { 'x-github-event': 'push', 'x-github-delivery': 'd', 'x-hub-signature-256': `sha256=${signature}` };
  return { headers: { ...headers, 'content-type': 'application/json' }, body: Buffer.from(body) };
}

function formOfGitea(payload: string): Delivery {
  const headers = { 'x-gitea-event': 'push', 'x-gitea-delivery': 'd', 'x-gitea-signature': sign(payload) };
  const body = Buffer.from(`payload=${encodeURIComponent(payload)}`);
  return { headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' }, body };
}

function payloadOf(bytes: number): string {
  const commit = { id: 'a'.repeat(40), message: 'ö'.repeat(100), added: ['a', 'b', 'c'], author: { name: 'Ada' } };
  const commits = Array.from({ length: Math.ceil(bytes / JSON.stringify(commit).length) }, () => commit);
  return JSON.stringify({ ...pushPayload(), commits });
}

describe('Reader', () => {
  for (const [what, forge, delivery] of [
    ['a push', github, ofGitHub(payloadOf(200_000))],
    ['a form', gitea, formOfGitea(payloadOf(200_000))],
    ['a wrong signature', github, ofGitHub(payloadOf(200_000), sign('another'))],
    [
      'what is no push',
      github,
      ofGitHub(JSON.stringify({ ...pushPayload(), after: 'x', filler: 'x'.repeat(200_000) })),
    ],
    ['what is no JSON', github, ofGitHub('x'.repeat(200_000))],
  ] as const) {
    it(`reads ${what} in the thread as it would at once`, async (t) => {
      const { reader } = start(t);
      const atOnce = readDelivery(forge, delivery, ['another secret', secret]);
      assert.deepEqual(await reader.read(forge, delivery, ['another secret', secret], never), atOnce);
    });
  }

  it('reads small ones while it reads a large one', async (t) => {
    const { reader } = start(t);
    const order: string[] = [];
    const read = async (name: string, delivery: Delivery) => {
      assert.equal((await reader.read(github, delivery, [secret], never)).kind, 'verified');
      order.push(name);
    };
    await Promise.all([read('large', ofGitHub(payloadOf(5_000_000))), read('small', ofGitHub(payloadOf(100)))]);
    assert.deepEqual(order, ['small', 'large']);
  });

  it('says why when the thread cannot go on, and starts another one', async (t) => {
    const { reader } = start(t, { program: join(import.meta.dirname, 'no-such-program.ts') });
    for (let n = 0; n < 2; n++) {
      const reading = reader.read(github, ofGitHub(payloadOf(150_000)), [secret], never);
      await assert.rejects(
        reading,
        /^Error: the thread for large deliveries ended: Cannot find module .*no-such-program/,
      );
    }
  });

  it('gives up waiting when it is told to, and reads the next one', async (t) => {
    const { reader } = start(t);
    const leaving = new AbortController();
    const reading = reader.read(github, ofGitHub(payloadOf(1_000_000)), [secret], leaving.signal);
    leaving.abort(new Error('nobody waits any more'));
    await assert.rejects(reading, /nobody waits any more/);
    assert.equal((await reader.read(github, ofGitHub(payloadOf(150_000)), [secret], never)).kind, 'verified');
  });

  it('ends the thread when there has been nothing to read for a while, and starts another one', async (t) => {
    const { reader, clock } = start(t);
    const read = () => reader.read(github, ofGitHub(payloadOf(150_000)), [secret], never);
    await read();
    await clock.advance(999);
    await read();
    const during = await threads();
    await clock.advance(999);
    await read();
    assert.equal(await threads(), during);
    await clock.advance(1000);
    await waitFor(async () => (await threads()) < during, { what: 'the end of the thread' });
    assert.equal((await read()).kind, 'verified');
  });
});

async function threads(): Promise<number> {
  return (await readdir('/proc/self/task')).length;
}
