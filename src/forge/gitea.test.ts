// Deliveries recorded from Gitea 1.26 in, kube-git's push out.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { recordedFromGitea, recordedSecret } from '../../test/env/forge-samples.ts';
import type { Delivery, Received } from './forge.ts';
import { gitea } from './gitea.ts';
import { github } from './github.ts';

function recorded(name: string): Delivery {
  const { headers, body } = recordedFromGitea(name);
  return { headers, body: Buffer.from(body) };
}

const first = '2b0db7efa9724cebab18f78d13e5f36b0274864a';
const second = JSON.parse(recordedFromGitea('push').body).after as string;
const zeros = '0'.repeat(40);
const tagObjects = { v1: '70aff71', nested: 'fc94e5a' };

/** What a push is reduced to in the table. */
function summary(received: Received): string {
  if (received.kind === 'ignored') return received.reason;
  const { after, before, commit, ref } = received.push;
  return [ref, before?.slice(0, 7), after.slice(0, 7), commit.slice(0, 7)].join(' ');
}

describe('gitea, with what Gitea sends', () => {
  const of = (before: string, after: string, commit = after): string =>
    [before, after, commit].map((id) => id.slice(0, 7)).join(' ');
  const table: readonly (readonly [name: string, expected: string])[] = [
    ['branch-created', `refs/heads/main ${of(zeros, first)}`],
    ['push', `refs/heads/main ${of(first, second)}`],
    ['push-as-form', `refs/heads/main ${of(first, second)}`],
    ['push-replayed', `refs/heads/main ${of(first, second)}`],
    ['force-push', `refs/heads/main ${of(second, first)}`],
    ['annotated-tag', `refs/tags/v1 ${of(zeros, tagObjects.v1, first)}`],
    ['nested-tag', `refs/tags/nested ${of(zeros, tagObjects.nested, first)}`],
    // Made on a page or by the API: Gitea tells of the commit, not of the tag object.
    ['annotated-tag-by-api', `refs/tags/api ${of(zeros, first)}`],
    ['tag-created', 'UnknownEvent'],
    ['tag-deleted', 'RefDeleted'],
    ['branch-deleted', 'RefDeleted'],
    ['test-button', 'Ping'],
  ];
  for (const [name, expected] of table) {
    it(`verifies ${name} and makes ${expected} of it`, () => {
      assert.equal(gitea.verify(recorded(name), recordedSecret), true);
      assert.equal(gitea.verify(recorded(name), `${recordedSecret}!`), false);
      assert.equal(summary(gitea.parse(recorded(name))), expected);
    });
  }

  it('takes names, message and addresses as they are, and no time, because none of a push is signed', () => {
    const received = gitea.parse(recorded('branch-created'));
    assert.ok(received.kind === 'push');
    const { author, cloneUrls, message, pushTime } = received.push;
    assert.deepEqual([author, message, pushTime], ['Ada Lovelace', 'Add a', undefined]);
    assert.deepEqual(
      cloneUrls.map((url) => url.replace(/:\d+\//, ':PORT/')),
      ['http://127.0.0.1:PORT/acme/app.git', 'ssh://git@127.0.0.1:PORT/acme/app.git', 'http://127.0.0.1:PORT/acme/app'],
    );
  });

  it('takes a branch with an odd name from a form', () => {
    const delivery = recorded('odd-branch-as-form');
    assert.equal(gitea.verify(delivery, recordedSecret), true);
    const received = gitea.parse(delivery);
    assert.equal(received.kind === 'push' && received.push.ref, `refs/heads/feature/100%-#1-"q"-'s'-ü-$(id)-{{x}}`);
  });

  it('takes the headers of a webhook without a secret for no signature, for every secret', () => {
    const delivery = recorded('push-without-secret');
    assert.equal(delivery.headers['x-hub-signature-256'], 'sha256=');
    for (const secret of ['', ' ', recordedSecret]) assert.equal(gitea.verify(delivery, secret), false);
  });

  it('knows a replay and the delivery to another webhook by the payload, JSON or form', () => {
    const ids = ['push', 'push-replayed', 'push-as-form'].map((name) => gitea.identify(recorded(name)));
    assert.equal(new Set(ids.map(({ digest }) => digest)).size, 1);
    assert.equal(new Set(ids.map(({ id }) => id)).size, 3);
    assert.deepEqual(new Set(ids.map(({ hookId }) => hookId)), new Set([undefined]));
  });

  it("takes Forgejo's headers", () => {
    const { body, headers } = recorded('push');
    const { 'x-gitea-event': event, 'x-gitea-signature': signature, 'content-type': type } = headers;
    const forgejo = { 'x-forgejo-event': event, 'x-forgejo-signature': signature, 'x-forgejo-delivery': 'abc' };
    const delivery = { body, headers: { 'content-type': type, ...forgejo } };
    assert.equal(gitea.verify(delivery, recordedSecret), true);
    assert.equal(gitea.parse(delivery).kind, 'push');
    assert.equal(gitea.identify(delivery).id, 'abc');
  });

  it('refuses a form with anything but the payload, and takes no long time over it', () => {
    const { body, headers } = recorded('push-as-form');
    for (const text of [
      `${body}&x=1`,
      `x=1&${body}`,
      `${body}&${body}`,
      'payload=%',
      'payload=%ff',
      '&'.repeat(25e6),
    ]) {
      assert.equal(gitea.verify({ headers, body: Buffer.from(text) }, recordedSecret), false);
    }
  });

  it('/github takes the same deliveries as JSON, not as a form, whose signature is not over its bytes', () => {
    for (const [name, expected] of table.filter(([one]) => !['push-as-form', 'branch-deleted'].includes(one))) {
      assert.equal(github.verify(recorded(name), recordedSecret), true, name);
      assert.equal(summary(github.parse(recorded(name))), expected, name);
    }
    assert.equal(github.verify(recorded('push-as-form'), recordedSecret), false);
  });
});
