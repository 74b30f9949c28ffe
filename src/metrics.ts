// The metrics: every name in one table, each documented in docs. One createMetrics() a process, handed to whoever counts.
// Must not know who reads them.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from '@prometheus-io/client';
import { version } from './config.ts';

/** Only ever goes up. */
interface CountMetric<Label extends string> {
  inc(labels: Readonly<Record<Label, string>>, by?: number): void;
}

/** Goes up and down. */
interface GaugeMetric<Label extends string> {
  set(labels: Readonly<Record<Label, string>>, value: number): void;
  /** Forgets the series of these labels. */
  remove(labels: Readonly<Record<Label, string>>): void;
}

/** A gauge without labels. */
interface PlainGauge {
  set(value: number): void;
  inc(by: number): void;
  dec(by: number): void;
}

interface HistogramMetric {
  /** In the unit that the metric's name ends with. */
  observe(value: number): void;
}

export interface Metrics {
  /** Deliveries answered, by what was decided, such as accepted, ignored, unverified, refused, unavailable. */
  readonly deliveries: CountMetric<'forge' | 'decision'>;
  /** 1 where the forge's path has a secret, 0 where it answers 401 to everything. */
  readonly webhookSecretConfigured: GaugeMetric<'forge'>;
  /** Deliveries by which secret they were signed with, current or previous: the latter can go when it stops counting. */
  readonly webhookSecretUsed: CountMetric<'forge' | 'secret'>;
  /** Runs that ended. */
  readonly runs: CountMetric<'phase' | 'reason'>;
  /** Seconds from receiving the push to its resource having been created. */
  readonly pushToCreated: HistogramMetric;
  /** Pushes that no webhook told of and that were found, by who found them: Poll, DeliveryLog. */
  readonly recovered: CountMetric<'source'>;
  /** Attempts to tell a sink; result is told or the reason of the error. */
  readonly notifications: CountMetric<'type' | 'result'>;
  /** Answers of the API server; code is the HTTP status, or error where there was no answer. */
  readonly apiRequests: CountMetric<'verb' | 'code'>;
  readonly watchRestarts: CountMetric<'resource' | 'why'>;
  readonly reconcileErrors: CountMetric<'controller'>;
  readonly queueLength: GaugeMetric<'queue'>;
  /** 1 while this replica holds the Lease and advances runs, else 0. */
  readonly leader: PlainGauge;
  /** 1 while the notification file in use is the one on disk, 0 while it cannot be used. */
  readonly notificationFileValid: PlainGauge;
  /** Bytes of webhook bodies held in memory. */
  readonly bytesInFlight: PlainGauge;
  /** The Content-Type of text(). */
  readonly contentType: string;
  /** All of it, as Prometheus reads it. */
  text(): Promise<string>;
}

const table = {
  deliveries: ['kubegit_deliveries_total', 'Webhook deliveries, by forge and what was decided.'],
  webhookSecretConfigured: ['kubegit_webhook_secret_configured', '1 if webhooks of this forge can be verified.'],
  webhookSecretUsed: [
    'kubegit_webhook_secret_used_total',
    'Deliveries by which secret signed them: current or previous.',
  ],
  runs: ['kubegit_runs_total', 'Runs that ended, by phase and reason.'],
  pushToCreated: ['kubegit_push_to_resource_seconds', 'Time from receiving a push to its resource being created.'],
  recovered: ['kubegit_recovered_pushes_total', 'Pushes that no webhook told of, by what found them.'],
  notifications: ['kubegit_notifications_total', 'Attempts to tell a sink, by its type and the result.'],
  apiRequests: ['kubegit_api_requests_total', 'Requests to the API server, by verb and HTTP status.'],
  watchRestarts: ['kubegit_watch_restarts_total', 'Watches started anew, by resource and why.'],
  reconcileErrors: ['kubegit_reconcile_errors_total', 'Reconciles that failed and are tried again.'],
  queueLength: ['kubegit_queue_length', 'Objects waiting for their reconcile.'],
  leader: ['kubegit_leader', '1 if this replica holds the Lease and advances runs.'],
  notificationFileValid: ['kubegit_notification_file_valid', '1 if the notification file is in use as it is on disk.'],
  bytesInFlight: ['kubegit_bytes_in_flight', 'Bytes of webhook bodies held in memory.'],
  build: ['kubegit_build_info', 'Always 1; the version of kube-git and of Node.'],
} as const;

/** A job is there in a second where git answers at once; five minutes is a forge that was away. */
const pushBucketsInSeconds = [0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300];

/** New metrics with a registry of their own. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const named = ([name, help]: readonly [string, string]) => ({ name, help, registers: [registry] });

  new Gauge({ ...named(table.build), labelNames: ['version', 'node'] }).set({ version, node: process.version }, 1);
  return {
    deliveries: new Counter({ ...named(table.deliveries), labelNames: ['forge', 'decision'] }),
    webhookSecretConfigured: new Gauge({ ...named(table.webhookSecretConfigured), labelNames: ['forge'] }),
    webhookSecretUsed: new Counter({ ...named(table.webhookSecretUsed), labelNames: ['forge', 'secret'] }),
    runs: new Counter({ ...named(table.runs), labelNames: ['phase', 'reason'] }),
    pushToCreated: new Histogram({ ...named(table.pushToCreated), buckets: pushBucketsInSeconds }),
    recovered: new Counter({ ...named(table.recovered), labelNames: ['source'] }),
    notifications: new Counter({ ...named(table.notifications), labelNames: ['type', 'result'] }),
    apiRequests: new Counter({ ...named(table.apiRequests), labelNames: ['verb', 'code'] }),
    watchRestarts: new Counter({ ...named(table.watchRestarts), labelNames: ['resource', 'why'] }),
    reconcileErrors: new Counter({ ...named(table.reconcileErrors), labelNames: ['controller'] }),
    queueLength: new Gauge({ ...named(table.queueLength), labelNames: ['queue'] }),
    leader: new Gauge(named(table.leader)),
    notificationFileValid: new Gauge(named(table.notificationFileValid)),
    bytesInFlight: new Gauge(named(table.bytesInFlight)),
    contentType: registry.contentType,
    text: () => registry.metrics(),
  };
}
