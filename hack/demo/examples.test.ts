import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { load } from 'js-yaml';
import { parseNotificationFile } from '../../src/notifier/parse.ts';
import { registry } from '../../src/notifier/registry.ts';
import { api, testNamespace } from '../../test/env/cluster.ts';

const read = (name: string): Promise<string> => readFile(join(import.meta.dirname, '../../examples', name), 'utf8');

const paths = {
  GitHook: ['/apis/kubegit.appspero.com/v1alpha1', 'githooks'],
  Job: ['/apis/batch/v1', 'jobs'],
} as const;

describe('examples', () => {
  for (const name of ['githook.yaml', 'job.yaml', 'demo/githook.yaml', 'demo/job.yaml', 'demo/failing-job.yaml']) {
    it(`${name} is taken by the API server as it is`, async (t) => {
      await accepted(await testNamespace(t), await read(name));
    });
  }

  it('githook.yaml is taken with its optional parts, too', async (t) => {
    const text = (await read('githook.yaml')).replace(
      /^ {2}# (passwordSecret:| {2}(name|key): |notification:| {2}(github|slack): )/gm,
      '  $1',
    );
    const { spec } = load(text) as { spec: Record<string, unknown> };
    assert.deepEqual(Object.keys(spec), ['repository', 'branches', 'manifest', 'passwordSecret', 'notification']);
    await accepted(await testNamespace(t), text);
  });

  it('demo/githook.yaml names the entries of demo/notification.yaml', async () => {
    const { spec } = load(await read('demo/githook.yaml')) as { spec: { notification: Record<string, string> } };
    const file = await read('demo/notification.yaml');
    const entries = load(file) as Record<string, object>;
    assert.deepEqual(
      Object.entries(spec.notification),
      Object.entries(entries).map(([type, named]) => [type, Object.keys(named)[0]]),
    );
    parseNotificationFile(file, registry);
  });
});

/** Refused would be an unknown field, too. */
async function accepted(namespace: string, text: string): Promise<void> {
  const object = load(text) as { kind: keyof typeof paths };
  const [group, plural] = paths[object.kind];
  await api('POST', `${group}/namespaces/${namespace}/${plural}?dryRun=All&fieldValidation=Strict`, object);
}
