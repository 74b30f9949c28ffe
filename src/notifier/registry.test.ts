// The contract every type of sink keeps: the same table for all. A new type adds an entry to `entries`.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Fault } from '../../test/env/proxy.ts';
import { openEntry, startSink, testHttp, testReport } from '../../test/env/sink.ts';
import { TerminalError, WaitingError } from '../errors.ts';
import type { NotifierType, Report } from './notifier.ts';
import { registry } from './registry.ts';

const canary = 'c4n4ry-0123456789abcdef';
const link = 'https://argo.example.com/workflows/${NAMESPACE}/${NAME}';

/** A good entry of each type for a sink at `url`, with the canary for its secret. */
const entries: Readonly<Record<string, (url: string) => object>> = {
  github: (url) => ({ url: link, token: canary, api: `${url}/api/v3/` }),
  slack: (url) => ({ url: link, webhookURL: `${url}/services/T0/B0/${canary}`, channel: '#builds' }),
};

const reports: Readonly<Record<string, Report>> = {
  started: testReport(),
  succeeded: testReport({ state: 'Succeeded', reason: 'Complete' }),
  failed: testReport({ state: 'Failed', reason: 'BackoffLimitExceeded', message: 'Job has reached its limit' }),
  error: testReport({
    state: 'Error',
    resource: undefined,
    reason: 'ManifestNotFound',
    message: 'there is no ci/job.yaml in commit 2f5a8c0',
  }),
};

const signal = new AbortController().signal;

function entryFor(type: NotifierType, url: string): object {
  return entries[type.type]?.(url) ?? assert.fail(`add an entry of type ${type.type} to this test`);
}

const answer = (status: number, headers: Readonly<Record<string, string>> = {}, body = ''): Fault => ({
  kind: 'answer',
  status,
  headers,
  body,
});

const faults: readonly (readonly [name: string, fault: Fault, reason: string, retryAfterMs?: number])[] = [
  ['N-01 a sink that hangs', { kind: 'delay', ms: 60_000 }, 'SinkUnreachable'],
  ['N-01 a reset', { kind: 'drop' }, 'SinkUnreachable'],
  ['N-02 401', answer(401, {}, `{"message":"Bad credentials ${canary}"}`), 'NotificationUnauthorized'],
  ['N-02 403', answer(403, {}, 'action_prohibited'), 'NotificationUnauthorized'],
  ['N-02 404', answer(404, {}, 'no_service'), 'NotificationNotFound'],
  ['N-02 410', answer(410, {}, 'channel_is_archived'), 'NotificationNotFound'],
  ['N-02 422', answer(422, {}, `{"message":"Validation Failed ${canary}"}`), 'NotificationRefused'],
  ['N-02 429 with seconds', answer(429, { 'retry-after': '30' }), 'RateLimited', 30_000],
  ['N-02 429 with a date', answer(429, { 'retry-after': 'Sun, 22 Nov 2026 12:01:00 GMT' }), 'RateLimited', 60_000],
  ['N-02 500', answer(500, {}, canary), 'SinkUnavailable'],
  ['N-02 503', answer(503, { 'retry-after': '5' }), 'SinkUnavailable', 5_000],
  ['a redirect', answer(302, { location: `https://other.example.com/${canary}` }), 'NotificationRefused'],
  ['N-05 headers without end', answer(200, { link: 'x'.repeat(128 * 1024) }), 'SinkUnreachable'],
];

for (const type of registry) {
  describe(`the contract of notifiers: ${type.type}`, () => {
    for (const [state, report] of Object.entries(reports)) {
      it(`tells ${state} word for word, as in testdata/${type.type}-${state}.json`, async (t) => {
        const sink = await startSink(t);
        await openEntry(type, entryFor(type, sink.url)).send(report, signal);
        const golden = readFileSync(join(import.meta.dirname, 'testdata', `${type.type}-${state}.json`), 'utf8');
        // Compared as text: the order of the fields counts too.
        assert.deepEqual(
          sink.log.map(({ body }) => body),
          [JSON.stringify(JSON.parse(golden))],
        );
      });
    }

    for (const [name, fault, reason, retryAfterMs] of faults) {
      it(`answers ${name} with ${reason}, without its secret`, async (t) => {
        const sink = await startSink(t, fault);
        const sent = openEntry(type, entryFor(type, sink.url), testHttp(300)).send(reports['started']!, signal);
        await assert.rejects(sent, (error) => {
          assert.ok(error instanceof TerminalError || error instanceof WaitingError, String(error));
          assert.equal(error.reason, reason);
          if (error instanceof WaitingError) assert.equal(error.retryAfterMs, retryAfterMs);
          assert.ok(error.message.includes(new URL(sink.url).host), error.message);
          assert.ok(!`${error.message}${error.stack}${String(error.cause)}`.includes(canary), error.stack);
          return true;
        });
      });
    }

    it('sends nothing for a namespace that the entry is not for', async (t) => {
      const sink = await startSink(t);
      const entry = { ...entryFor(type, sink.url), namespaces: ['team-b', 'prod-*'] };
      await assert.rejects(
        openEntry(type, entry).send(reports['started']!, signal),
        (error) =>
          error instanceof TerminalError &&
          error.reason === 'NotAllowed' &&
          error.message.startsWith(
            `notification entry ${type.type}.ci is not for namespace team-a: add it to namespaces`,
          ),
      );
      assert.deepEqual(sink.log, []);
    });

    it('names its secrets, for the log to mask', () => {
      const { secrets } = type.parse(entryFor(type, 'http://127.0.0.1:1'), 'x');
      assert.ok(secrets.some((secret) => secret.includes(canary)));
    });

    for (const field of ['namespaces', 'repositories']) {
      it(`refuses a list of ${field} with nothing in it but its name: it could mean all or nobody`, () => {
        const entry = { ...entryFor(type, 'http://127.0.0.1:1'), [field]: null };
        assert.throws(() => type.parse(entry, 'x.ci'), { message: `x.ci.${field} must be a list` });
      });
    }
  });
}
