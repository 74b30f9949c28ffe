import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { pushPayload, randomId, startTestReceiver } from '../../test/env/receiver.ts';
import type { GitHookRun } from '../api/githookrun.ts';

const repository = 'https://git.example.com/acme/app';
const validLabel = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const readJson = (name: string) => JSON.parse(readFileSync(new URL(`testdata/${name}`, import.meta.url), 'utf8'));

/** The stored run without what the API server made up. */
function written({ metadata, ...run }: GitHookRun) {
  const { name, labels, ownerReferences } = metadata;
  const owners = ownerReferences?.map(({ uid, ...owner }) => ({ ...owner, uid: uid === run.spec.gitHookRef.uid }));
  const gitHookRef = { ...run.spec.gitHookRef, uid: '' };
  const metadataKept = { name: name?.replace(/[a-z2-7]{12}$/, ''), labels, ownerReferences: owners };
  return { ...run, metadata: metadataKept, spec: { ...run.spec, gitHookRef } };
}

describe('runObject', () => {
  it('is the push and the whole GitHook as they were, for the example that GitHub gives', async (t) => {
    const { gitHook, headers, payload, run } = readJson('push.json');
    const receiver = await startTestReceiver(t, { nowMs: Date.UTC(2019, 4, 15, 15, 21) });
    await receiver.addGitHook('hello', gitHook);
    const { status, outcome } = await receiver.send({ body: JSON.stringify(payload), headers });
    assert.equal(status, 202, JSON.stringify(outcome));
    const [stored] = await receiver.runs();
    assert.deepEqual(stored && written(stored), run);
  });

  it('takes both ids of an annotated tag, and the same twice of a light one', async (t) => {
    const receiver = await startTestReceiver(t);
    await receiver.addGitHook('tags', { repository, branches: ['refs/tags/*'] });
    const [tag, commit] = [randomId(), randomId()];
    const before = '0'.repeat(40);
    const light = pushPayload({ ref: 'refs/tags/v1', before, after: commit });
    const annotated = { ...pushPayload({ ref: 'refs/tags/v2', before, after: commit }), after: tag };
    for (const payload of [light, annotated]) await receiver.send({ payload });
    const ids = (await receiver.runs()).map(({ spec }) => [spec.ref, spec.after, spec.commit]);
    assert.deepEqual(ids.sort(), [
      ['refs/tags/v1', commit, commit],
      ['refs/tags/v2', tag, commit],
    ]);
  });

  it('is suspended where the GitHook is', async (t) => {
    const receiver = await startTestReceiver(t);
    await receiver.addGitHook('asleep', { repository, suspend: true });
    const { status } = await receiver.send({ payload: pushPayload() });
    assert.deepEqual([status, (await receiver.runs())[0]?.spec.suspend], [202, true]);
  });

  it('is stored for a GitHook whose name has 253 characters', async (t) => {
    const receiver = await startTestReceiver(t);
    const name = `${'a'.repeat(49)}.${'b'.repeat(203)}`;
    await receiver.addGitHook(name, { repository });
    const { status } = await receiver.send({ payload: pushPayload() });
    assert.equal(status, 202);
    const [run] = await receiver.runs();
    assert.ok((run?.metadata.name?.length ?? 99) <= 63);
    assert.match(run?.metadata.labels?.['kubegit.appspero.com/githook'] ?? '', validLabel);
    assert.equal(run?.spec.gitHookRef.name, name);
  });

  const hostile: readonly (readonly [name: string, text: string])[] = [
    ['very long texts', 'x'.repeat(5000)],
    ['very long texts of characters outside the first plane', '🦊'.repeat(5000)],
    ['control characters and escapes', 'a\u0000b\u001b[31mc\u009bd\u2028e'],
    ['text that turns around', 'a\u202egnp.exe'],
    ['lone surrogates', '\ud800a\udc00'],
    ['templates and markup', '{{workflow.name}} $(id) `id` <!channel> "\\'],
    ['nothing', ''],
  ];
  for (const [name, text] of hostile) {
    it(`holds ${name} as one clean line of at most 256 characters`, async (t) => {
      const receiver = await startTestReceiver(t);
      await receiver.addGitHook('build', { repository });
      const { status } = await receiver.send({ payload: pushPayload({ author: text, message: `${text}\nmore` }) });
      assert.equal(status, 202);
      const [run] = await receiver.runs();
      for (const stored of [run?.spec.author ?? '', run?.spec.message ?? '']) {
        assert.ok([...stored].length <= 256 && stored.isWellFormed() && !/[\p{Cc}\u2028\u202e]/u.test(stored), stored);
      }
    });
  }
});
