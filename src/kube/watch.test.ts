import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ApiError, type StoredObject } from './kube.ts';
import { decodeEvents, InvalidEvent, type WatchEvent } from './watch.ts';

interface Named extends StoredObject {
  readonly data?: Readonly<Record<string, string>>;
}

function line(type: string, name: string, resourceVersion: string): string {
  return `${JSON.stringify({ type, object: { metadata: { name, resourceVersion }, data: { text: 'grüße €, 😀 and \u2028' } } })}\n`;
}

async function decode(text: string, size: number): Promise<WatchEvent<Named>[]> {
  const bytes = Buffer.from(text);
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }
  const events: WatchEvent<Named>[] = [];
  for await (const event of decodeEvents<Named>(chunks(), 'watch')) events.push(event);
  return events;
}

describe('decodeEvents', () => {
  const text =
    line('ADDED', 'a', '1') + line('MODIFIED', 'ä', '2') + line('DELETED', '€', '3') + line('BOOKMARK', '', '9');
  for (const size of [1, 2, 3, 7, 64, 100_000]) {
    it(`gives the same events whole when the bytes come ${size} at a time`, async () => {
      const events = await decode(text, size);
      assert.deepEqual(
        events.map(({ type, object }) => [type, object.metadata.name, object.metadata.resourceVersion]),
        [
          ['ADDED', 'a', '1'],
          ['MODIFIED', 'ä', '2'],
          ['DELETED', '€', '3'],
          ['BOOKMARK', '', '9'],
        ],
      );
      assert.ok(events.every(({ object }) => object.data?.['text'] === 'grüße €, 😀 and \u2028'));
    });
  }

  it('drops half a line at the end', async () => {
    assert.equal((await decode(text.slice(0, -5), 50)).length, 3);
  });

  it('throws the error that an ERROR event carries', async () => {
    const status = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version: 1 (9)' };
    await assert.rejects(
      decode(`${JSON.stringify({ type: 'ERROR', object: status })}\n`, 20),
      (error) => error instanceof ApiError && error.status === 410 && error.reason === 'Expired',
    );
  });

  for (const [name, bad] of [
    ['is not JSON', '{"type":"ADDED","object":{"metad\n'],
    ['is not an object', '"ADDED"\n'],
    ['has no object', '{"type":"ADDED"}\n'],
    ['has an object without a resourceVersion', '{"type":"ADDED","object":{"metadata":{}}}\n'],
    ['has a type nobody knows', line('GARBAGE', 'a', '1')],
  ]) {
    it(`throws InvalidEvent, without the text, for a line that ${name}`, async () => {
      await assert.rejects(
        decode(String(bad), 10),
        (error) => error instanceof InvalidEvent && !error.message.includes('metad'),
      );
    });
  }
});
