// For tests of notifiers: a sink on loopback that answers as it is told and keeps what it got, and a report to send it.
import type { HttpPost } from '../../src/http.ts';
import { createHttpPost } from '../../src/http.ts';
import type { Notifier, NotifierType, Report } from '../../src/notifier/notifier.ts';
import { type Fault, type FaultProxy, startProxy } from './proxy.ts';

interface Test {
  after(end: () => Promise<void>): void;
}

/** When the tests' clock stands: what dates in answers are compared with. */
export const testTime = Date.parse('2026-11-22T12:00:00Z');

/** A sink that ends with the test. Default: 200 and ok, as Slack. Its `log` holds the requests. */
export async function startSink(
  t: Test,
  fault: Fault = { kind: 'answer', status: 200, body: 'ok' },
): Promise<FaultProxy> {
  const sink = await startProxy({ target: new URL('http://127.0.0.1:9'), rules: [() => fault] });
  t.after(() => sink.close());
  return sink;
}

/** The one way out, with a clock that stands still and a short patience. */
export function testHttp(timeLimitMs = 5_000): HttpPost {
  const clock = { now: () => testTime, monotonic: () => 0, sleep: () => Promise.resolve() };
  return createHttpPost({ clock, userAgent: 'kube-git/test', timeLimitMs });
}

/** The notifier of an entry called <type>.ci. */
export function openEntry(type: NotifierType, entry: object, http: HttpPost = testHttp()): Notifier {
  return type.parse(entry, `${type.type}.ci`).connect(http);
}

/** What the kube-git of 2019 told, when a Job had started, and more. */
export function testReport(changes: Partial<Report> = {}): Report {
  return {
    state: 'Started',
    gitHook: 'team-a/app',
    namespace: 'team-a',
    run: 'app-abcdefghijkl',
    repository: 'http://localhost:3000/acme/app.git',
    ref: 'refs/heads/main',
    commit: '2f5a8c0d9b1e4f7a6c3d2e1f0a9b8c7d6e5f4a3b',
    author: 'Ada Lovelace',
    context: 'kube-git/team-a/app',
    resource: { title: 'Job', name: 'build-x7k2p' },
    reason: 'Running',
    message: '',
    ...changes,
  };
}
