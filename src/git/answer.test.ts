import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseTrace, readAnswer } from './answer.ts';

const line = (text: string) => `17:06:08.520555 http.c:684              <= Recv header: ${text}\n`;

describe('parseTrace', () => {
  it('gives the last answer only', () => {
    const trace = [
      'HTTP/1.1 301 Moved',
      'Location: https://x/',
      'HTTP/1.1 100 Continue',
      'HTTP/2 429',
      'retry-after: 7',
    ]
      .map(line)
      .join('');
    assert.deepEqual(parseTrace(trace, 0), { status: 429, retryAfterMs: 7000 });
  });

  it('takes headers in any case, and a Retry-After that is a date', () => {
    const now = Date.UTC(2026, 10, 22, 17, 6, 0);
    const trace = [
      'HTTP/1.1 503 Busy',
      'RETRY-AFTER: Sun, 22 Nov 2026 17:07:00 GMT',
      'content-TYPE: text/plain; charset=utf-8',
    ];
    assert.deepEqual(parseTrace(trace.map(line).join(''), now), {
      status: 503,
      contentType: 'text/plain',
      retryAfterMs: 60_000,
    });
  });

  it('honours a Retry-After of an hour at the most', () => {
    for (const wish of ['2592000', '9'.repeat(400), 'Tue, 22 Dec 2026 17:07:00 GMT']) {
      const trace = line('HTTP/1.1 503 Busy') + line(`Retry-After: ${wish}`);
      assert.equal(parseTrace(trace, Date.UTC(2026, 10, 22)).retryAfterMs, 3_600_000, wish);
    }
  });

  it('gives nothing for what was sent, and for a trace without an answer', () => {
    assert.deepEqual(parseTrace('=> Send header: HTTP/1.1 200 OK\n== Info: Trying\n', 0), {});
    assert.deepEqual(parseTrace('', 0), {});
  });
});

describe('readAnswer', () => {
  it('gives nothing where there is no trace', async () => {
    assert.deepEqual(await readAnswer('/nonexistent/trace'), {});
  });
});
