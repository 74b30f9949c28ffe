// Each fault of the proxy, as the client meets it, as the target meets it, and as the log tells it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import type { Fault } from './proxy.ts';
import { begin, get, proxied, text, textOf } from './proxy-target.ts';
import { waitFor } from './wait.ts';

describe('a fault', () => {
  const damaged: { fault: Fault; text: string; error?: string }[] = [
    { fault: { kind: 'delay', ms: 20 }, text },
    { fault: { kind: 'hold', until: Promise.resolve() }, text },
    { fault: { kind: 'truncate', bytes: 11 }, text: `${text.slice(0, 10)}\ufffd` },
    { fault: { kind: 'truncate', bytes: 0 }, text: '' },
    { fault: { kind: 'chunks', bytes: 1 }, text },
    { fault: { kind: 'reset', afterBytes: 9 }, text: text.slice(0, 9), error: 'ECONNRESET' },
    { fault: { kind: 'reset', afterBytes: 0 }, text: '', error: 'ECONNRESET' },
    { fault: { kind: 'edit', body: (whole) => whole.replace('Zürich', 'Köln') }, text: text.replace('Zürich', 'Köln') },
    { fault: { kind: 'lines', line: (line) => [line, line] }, text: text + text },
    { fault: { kind: 'lines', line: () => [] }, text: '' },
    { fault: { kind: 'answer', status: 429, headers: { 'retry-after': '1' }, body: 'slow' }, text: 'slow' },
  ];
  for (const { fault, text: expected, error } of damaged) {
    it(`${JSON.stringify(fault)} gives ${expected.length} characters${error ? `, then ${error}` : ''}`, async (t) => {
      const { proxy, reached } = await proxied(t, () => fault);
      const got = await get(proxy.url);
      assert.equal(textOf(got), expected);
      assert.equal(got.error, error);
      assert.equal(got.status, fault.kind === 'answer' ? 429 : 200);
      assert.equal(proxy.log[0]?.status, got.status);
      assert.equal(reached.length, fault.kind === 'answer' ? 0 : 1);
    });
  }

  it('passed gives the whole answer, and says when it has left', async (t) => {
    let left = 0;
    const { proxy } = await proxied(t, () => ({ kind: 'passed', onLeft: () => void left++ }));
    assert.equal(textOf(await get(proxy.url)), text);
    await waitFor(() => left === 1, { what: 'the proxy to say so' });
    assert.ok((proxy.log[0]?.answeredAt ?? 0) >= (proxy.log[0]?.at ?? Number.POSITIVE_INFINITY));
  });

  it('chunks splits characters: no piece is longer than asked', async (t) => {
    const { pieces } = await get((await proxied(t, () => ({ kind: 'chunks', bytes: 3 }))).proxy.url);
    assert.equal(pieces.length, Math.ceil(Buffer.byteLength(text) / 3));
    assert.ok(pieces.some((piece) => piece.toString().includes('\ufffd')));
  });

  it('drop resets, and the target never hears of it', async (t) => {
    const { proxy, reached } = await proxied(t, () => ({ kind: 'drop' }));
    await assert.rejects(fetch(proxy.url, { method: 'POST', body: 'create' }));
    assert.deepEqual(reached, []);
    assert.equal(proxy.log[0]?.body, 'create');
    assert.equal(proxy.log[0]?.status, undefined);
  });

  it('dropAnswer resets only after the target has answered in full', async (t) => {
    const { proxy, reached } = await proxied(t, () => ({ kind: 'dropAnswer' }));
    await assert.rejects(fetch(proxy.url, { method: 'POST', body: 'create' }));
    assert.deepEqual(reached, ['POST /']);
    assert.equal(proxy.log[0]?.status, 200);
    assert.equal(proxy.log[0]?.answer, 'create');
  });

  it('dropAnswer lets the target finish even when the client gives up first', async (t) => {
    const { proxy, reached, finishWatches } = await proxied(t, () => ({ kind: 'dropAnswer' }));
    const asked = begin(`${proxy.url}/watch`);
    await waitFor(() => reached.length > 0, { what: 'the request to reach the target' });
    asked.giveUp();
    finishWatches();
    await waitFor(() => proxy.log[0]?.done, { what: 'the answer to be read to its end' });
    assert.equal(proxy.log[0]?.answer, '{"n":1}\n{"n":2}\n');
  });

  it('silence keeps the connection open after n bytes', async (t) => {
    const { proxy } = await proxied(t, () => ({ kind: 'silence', afterBytes: 4 }));
    const asked = begin(proxy.url);
    const answer = await asked.answer;
    const [first] = (await once(answer, 'data')) as [Buffer];
    assert.equal(first.length, 4);
    const heard = await Promise.race([
      once(answer, 'end'),
      new Promise((resolve) => setTimeout(resolve, 50, 'nothing')),
    ]);
    assert.equal(heard, 'nothing');
    assert.equal(answer.socket.destroyed, false);
    asked.giveUp();
  });

  it('delay sends nothing when the client gives up meanwhile', async (t) => {
    const { proxy, reached } = await proxied(t, () => ({ kind: 'delay', ms: 60_000 }));
    const asked = begin(proxy.url);
    await waitFor(() => proxy.log.length > 0, { what: 'the request' });
    asked.giveUp();
    await waitFor(() => proxy.log[0]?.done, { what: 'the proxy to let go' });
    assert.deepEqual(reached, []);
  });
});
