import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { classify, type Sink } from './answer.ts';
import { TerminalError, WaitingError } from './errors.ts';

const now = Date.parse('2026-11-22T12:00:00Z');
const canary = 'ghp_c4n4ry0123456789';
const sink: Sink = {
  entry: 'github.ci',
  host: 'api.github.com',
  secrets: [canary],
  advise: (status) => (status === 401 ? 'Write a valid token' : undefined),
};

interface Said {
  readonly headers?: Readonly<Record<string, string>>;
  readonly text?: string;
}

function errorOf(status: number, { headers = {}, text = '' }: Said = {}): TerminalError | WaitingError {
  try {
    classify({ status, headers: new Headers(headers), text, time: now }, sink);
  } catch (error) {
    assert.ok(error instanceof TerminalError || error instanceof WaitingError, String(error));
    return error;
  }
  return assert.fail('no error');
}

describe('classify', () => {
  for (const status of [200, 201, 202, 204]) {
    it(`returns on ${status}`, () => classify({ status, headers: new Headers(), text: 'anything', time: now }, sink));
  }

  const terminal: readonly (readonly [number, string])[] = [
    [301, 'NotificationRefused'],
    [304, 'NotificationRefused'],
    [400, 'NotificationRefused'],
    [401, 'NotificationUnauthorized'],
    [403, 'NotificationUnauthorized'],
    [404, 'NotificationNotFound'],
    [410, 'NotificationNotFound'],
    [413, 'NotificationRefused'],
    [422, 'NotificationRefused'],
    [451, 'NotificationRefused'],
  ];
  for (const [status, reason] of terminal) {
    it(`ends with ${reason} on ${status}`, () => {
      const error = errorOf(status);
      assert.ok(error instanceof TerminalError);
      assert.equal(error.reason, reason);
    });
  }

  const text = '{"message":"You have exceeded a secondary rate limit. Please wait."}';
  const reset = String(now / 1000 + 90);
  const waiting: readonly (readonly [name: string, status: number, said: Said, reason: string, ms?: number])[] = [
    ['408', 408, {}, 'SinkUnavailable'],
    ['425', 425, {}, 'SinkUnavailable'],
    ['500', 500, {}, 'SinkUnavailable'],
    ['502 with an HTML page', 502, { text: '<html>bad</html>' }, 'SinkUnavailable'],
    ['503 with Retry-After', 503, { headers: { 'retry-after': '7' } }, 'SinkUnavailable', 7_000],
    ['599', 599, {}, 'SinkUnavailable'],
    ['429', 429, {}, 'RateLimited', 60_000],
    ['429 with seconds', 429, { headers: { 'retry-after': '30' } }, 'RateLimited', 30_000],
    ['429 with zero', 429, { headers: { 'retry-after': '0' } }, 'RateLimited', 1_000],
    ['429 with a date', 429, { headers: { 'retry-after': 'Sun, 22 Nov 2026 12:02:00 GMT' } }, 'RateLimited', 120_000],
    [
      '429 with a past date',
      429,
      { headers: { 'retry-after': 'Sun, 22 Nov 2020 12:02:00 GMT' } },
      'RateLimited',
      1_000,
    ],
    ['429 with a year', 429, { headers: { 'retry-after': '31536000' } }, 'RateLimited', 3_600_000],
    ['429 with nonsense', 429, { headers: { 'retry-after': 'soon' } }, 'RateLimited', 60_000],
    ['429 with a negative', 429, { headers: { 'retry-after': '-5' } }, 'RateLimited', 60_000],
    ['429 with 40 digits', 429, { headers: { 'retry-after': '9'.repeat(40) } }, 'RateLimited', 3_600_000],
    [
      "403 at GitHub's primary limit",
      403,
      { headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset } },
      'RateLimited',
      90_000,
    ],
    ['403 without a reset', 403, { headers: { 'x-ratelimit-remaining': '0' } }, 'RateLimited', 60_000],
    ["403 at GitHub's secondary limit", 403, { headers: { 'retry-after': '60' } }, 'RateLimited', 60_000],
    ['403 at the secondary limit, by its text only', 403, { text }, 'RateLimited', 60_000],
  ];
  for (const [name, status, said, reason, ms] of waiting) {
    it(`waits on ${name}${ms === undefined ? '' : `: ${ms} ms`}`, () => {
      const error = errorOf(status, said);
      assert.ok(error instanceof WaitingError);
      assert.deepEqual([error.reason, error.retryAfterMs], [reason, ms]);
    });
  }

  it('does not take a 403 with some of the limit left for a limit', () => {
    const error = errorOf(403, { headers: { 'x-ratelimit-remaining': '4999', 'x-ratelimit-reset': reset } });
    assert.ok(error instanceof TerminalError);
  });
});

describe('classify: what it says', () => {
  it('names the host, the entry, the answer and what to do', () => {
    assert.equal(
      errorOf(401, { text: '{"message":"Bad credentials","documentation_url":"https://docs.github.com"}' }).message,
      'api.github.com (notification entry github.ci) answered 401: Bad credentials. Write a valid token',
    );
  });

  const texts: readonly (readonly [name: string, text: string, expected: string])[] = [
    ["Slack's word", 'no_service', ': no_service'],
    [
      "GitHub's errors",
      '{"message":"Validation Failed","errors":[{"field":"state","code":"invalid"}]}',
      ': Validation Failed: state invalid',
    ],
    ['errors that are texts', '{"message":"a","errors":["b"]}', ': a: b'],
    ['nothing of a page', '<!DOCTYPE html><p>secret', ''],
    ['nothing of JSON without a message', '{"a":1}', ''],
    ['JSON that is no object', 'null', ': null'],
    ['hostile JSON', '{"message":{"toString":1},"errors":[{"field":{"toString":1}},null,7]}', ''],
    ['one line of many, without control characters', 'a\r\nb\u001b[2J\u0000', ': a b [2J'],
  ];
  for (const [name, text, expected] of texts) {
    it(`shows ${name}`, () => {
      const head = 'api.github.com (notification entry github.ci) answered 400';
      assert.equal(errorOf(400, { text }).message, head + expected);
    });
  }

  it('cuts long texts', () => {
    assert.ok(errorOf(400, { text: 'x'.repeat(60_000) }).message.length < 300);
  });

  it('repeats no secret, also when the sink does', () => {
    const location = { location: `https://${canary}.example.com/${canary}?${canary}` };
    const errors = [
      errorOf(400, { text: `you sent ${canary}` }),
      errorOf(401, { text: JSON.stringify({ message: `bad token ${canary}`, errors: [canary] }) }),
      errorOf(400, { text: `${'x'.repeat(190)}${canary}` }),
      errorOf(307, { headers: location }),
    ];
    for (const error of errors) assert.ok(!error.message.includes(canary.slice(0, 10)), error.message);
  });

  it('names the host of a redirect, not its path', () => {
    const { message } = errorOf(307, { headers: { location: 'https://other.example.com/services/T0/B0/xyz' } });
    assert.match(message, /answered 307, a redirect to other\.example\.com, and redirects are not followed\. /);
    assert.ok(!message.includes('services'));
  });

  for (const location of ['/repositories/1/statuses/x', 'http://[', '']) {
    it(`bears the location ${JSON.stringify(location)}`, () => {
      assert.match(errorOf(307, { headers: { location } }).message, /a redirect to another address of the same host/);
    });
  }
});
