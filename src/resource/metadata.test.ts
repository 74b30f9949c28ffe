import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GitHookRun } from '../api/githookrun.ts';
import { TerminalError } from '../errors.ts';
import { renderMetadata } from './metadata.ts';
import runJson from './testdata/run.json' with { type: 'json' };

const run = runJson as GitHookRun;

function render(metadata: object, of = run) {
  return renderMetadata({ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'x', ...metadata } }, of, {
    ownTtl: undefined,
  });
}

const refusals: readonly { readonly metadata: object; readonly reason: string; readonly says: RegExp }[] = [
  {
    metadata: { namespace: 'team-b' },
    reason: 'NamespaceMismatch',
    says: /names the namespace "team-b", but its GitHook is in "team-a": remove metadata.namespace or write team-a\./,
  },
  { metadata: { namespace: 1 }, reason: 'NamespaceMismatch', says: /"1"/ },
  {
    metadata: { ownerReferences: [{ kind: 'Node' }] },
    reason: 'FieldNotAllowed',
    says: /sets metadata.ownerReferences.*Remove it\./,
  },
  { metadata: { ownerReferences: 'x' }, reason: 'FieldNotAllowed', says: /metadata.ownerReferences/ },
  {
    metadata: { finalizers: ['foregroundDeletion'] },
    reason: 'FieldNotAllowed',
    says: /sets metadata.finalizers.*Remove it\./,
  },
  { metadata: { resourceVersion: '5' }, reason: 'FieldNotAllowed', says: /sets metadata.resourceVersion.*Remove it\./ },
  { metadata: { labels: ['a'] }, reason: 'ManifestInvalid', says: /metadata.labels is not a mapping/ },
  { metadata: { annotations: 'a' }, reason: 'ManifestInvalid', says: /metadata.annotations is not a mapping/ },
];

describe('renderMetadata', () => {
  for (const { metadata, reason, says } of refusals) {
    it(`refuses ${JSON.stringify(metadata)}: ${reason}`, () => {
      assert.throws(
        () => render(metadata),
        (error) => error instanceof TerminalError && error.reason === reason && says.test(error.message),
      );
    });
  }

  it('makes the run its owner', () => {
    const { namespace, ownerReferences } = render({ namespace: 'team-a' });
    const { name, uid } = run.metadata;
    assert.equal(namespace, 'team-a');
    assert.deepEqual(ownerReferences, [
      { apiVersion: 'kubegit.appspero.com/v1alpha1', kind: 'GitHookRun', name, uid, controller: true },
    ]);
  });

  it('writes the labels and the annotations of the program of 2019', () => {
    const { labels, annotations } = render({});
    assert.deepEqual(labels, {
      'kubegit.appspero.com/githook': 'build',
      'kubegit.appspero.com/run': 'build-nq2wkzz5h4rc',
    });
    assert.deepEqual(annotations, {
      'kubegit.appspero.com/branch': 'refs/heads/release/1.0',
      'kubegit.appspero.com/commit': '0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c',
      'kubegit.appspero.com/author': 'Ada Lovelace',
      'kubegit.appspero.com/githook': 'team-a/build',
      'kubegit.appspero.com/repository': 'https://github.com/acme/app.git',
      'kubegit.appspero.com/slack': 'team',
      'kubegit.appspero.com/github': 'main',
      'kubegit.appspero.com/started': 'false',
    });
  });

  it('leaves out sinks and started where nobody is to be told', () => {
    const { notification: _, ...spec } = run.spec;
    const { annotations } = render({}, { ...run, spec });
    const names = Object.keys(annotations ?? {}).map((key) => key.replace('kubegit.appspero.com/', ''));
    assert.deepEqual(names, ['branch', 'commit', 'author', 'githook', 'repository']);
  });

  it('removes or overwrites kubegit.appspero.com/ of the manifest and keeps all other labels and annotations', () => {
    const own = {
      'kubegit.appspero.com/run': 'fake',
      'kubegit.appspero.com/own-ttl': '1',
      'kubegit.appspero.com/x': 'y',
      'example.com/a': 'b',
    };
    const { labels, annotations } = render({ labels: own, annotations: own });
    assert.equal(labels?.['kubegit.appspero.com/run'], 'build-nq2wkzz5h4rc');
    for (const field of [labels ?? {}, annotations ?? {}]) {
      assert.equal(field['example.com/a'], 'b');
      assert.ok(!('kubegit.appspero.com/own-ttl' in field) && !('kubegit.appspero.com/x' in field));
    }
  });

  it('passes on what else the manifest says', () => {
    const rendered: Record<string, unknown> = { ...render({ generation: 7, somethingNew: [1] }) };
    assert.equal(rendered['generation'], 7);
    assert.deepEqual(rendered['somethingNew'], [1]);
  });
});
