import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GitHookRun } from './githookrun.ts';
import { cancelled, says, withStanding } from './phase.ts';

const now = '2026-01-01T00:00:00Z';
const run: GitHookRun = {
  apiVersion: 'kubegit.appspero.com/v1alpha1',
  kind: 'GitHookRun',
  metadata: { name: 'app-1', namespace: 'ci' },
  spec: {
    ...{ gitHookRef: { name: 'app', uid: 'u' }, sequence: 1, source: 'Webhook', forge: 'github', receivedTime: now },
    ...{ ref: 'refs/heads/main', after: 'a'.repeat(40), commit: 'a'.repeat(40) },
    ...{ repository: 'https://github.com/acme/app.git', manifest: 'job.yaml' },
  },
};

describe('withStanding', () => {
  for (const [name, message] of [
    ['is too long', 'x'.repeat(40_000)],
    ['is cut in the middle of a character', `${'x'.repeat(4094)}🌲🌲`],
    ['holds half a character', 'x\ud83cx'],
  ] as const) {
    it(`says the same after it was stored when the message ${name}`, () => {
      const standing = { phase: 'Failed', reason: 'ManifestRefused', message } as const;
      const sent = JSON.stringify(withStanding(run, standing, now));
      // What the API server makes of half a character (Go's encoding/json).
      const stored = JSON.parse(sent.replaceAll(/\\ud[89a-f][0-9a-f]{2}/g, '\ufffd'));
      assert.ok(says(stored, standing));
      assert.ok(stored.message.length <= 4096);
    });
  }
});

describe('a run that was cancelled', () => {
  it('is told as an error, whether something was created or not', () => {
    const notified = { ...run, spec: { ...run.spec, notification: { github: 'forge' } } };
    const resource = { apiVersion: 'batch/v1', kind: 'Job', name: 'x', uid: 'x' };
    for (const status of [{}, { resource }]) {
      const told = withStanding({ ...notified, status }, { phase: 'Failed', reason: cancelled, message: '.' }, now);
      assert.deepEqual([told.phase, told.reason, told.sinks?.[0]?.desired], ['Failed', 'Cancelled', 'Error']);
    }
  });
});
