import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createMetrics } from './metrics.ts';

describe('createMetrics', () => {
  it('gives every metric its name and labels', async () => {
    const metrics = createMetrics();
    metrics.deliveries.inc({ forge: 'github', decision: 'accepted' });
    metrics.webhookSecretConfigured.set({ forge: 'github' }, 1);
    metrics.runs.inc({ phase: 'Succeeded', reason: 'Complete' }, 2);
    metrics.pushToCreated.observe(0.3);
    metrics.recovered.inc({ source: 'Poll' });
    metrics.notifications.inc({ type: 'slack', result: 'accepted' });
    metrics.apiRequests.inc({ verb: 'get', code: '200' });
    metrics.watchRestarts.inc({ resource: 'githooks', why: 'Expired' });
    metrics.reconcileErrors.inc({ controller: 'run' });
    metrics.queueLength.set({ queue: 'run' }, 3);
    metrics.notificationFileValid.set(1);
    metrics.bytesInFlight.inc(10);
    metrics.bytesInFlight.dec(4);

    const lines = (await metrics.text()).split('\n').filter((line) => line.startsWith('kubegit_'));
    const plain = lines.filter((line) => !line.includes('_bucket') && !line.startsWith('kubegit_build_info'));
    assert.deepEqual(plain.sort(), [
      'kubegit_api_requests_total{verb="get",code="200"} 1',
      'kubegit_bytes_in_flight 6',
      'kubegit_deliveries_total{forge="github",decision="accepted"} 1',
      'kubegit_notification_file_valid 1',
      'kubegit_notifications_total{type="slack",result="accepted"} 1',
      'kubegit_push_to_resource_seconds_count 1',
      'kubegit_push_to_resource_seconds_sum 0.3',
      'kubegit_queue_length{queue="run"} 3',
      'kubegit_reconcile_errors_total{controller="run"} 1',
      'kubegit_recovered_pushes_total{source="Poll"} 1',
      'kubegit_runs_total{phase="Succeeded",reason="Complete"} 2',
      'kubegit_watch_restarts_total{resource="githooks",why="Expired"} 1',
      'kubegit_webhook_secret_configured{forge="github"} 1',
    ]);
    assert.ok(lines.some((line) => /^kubegit_build_info\{version="[^"]+",node="v\d+\.[^"]+"\} 1$/.test(line)));
  });

  it('tells of the process too', async () => {
    assert.match(await createMetrics().text(), /^process_resident_memory_bytes \d+$/m);
  });

  it('shares nothing between two of them', async () => {
    const [first, second] = [createMetrics(), createMetrics()];
    first.reconcileErrors.inc({ controller: 'run' });
    assert.ok(!(await second.text()).includes('controller="run"'));
  });
});
