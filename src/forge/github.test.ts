import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { type Delivery, MalformedDelivery, type Received } from './forge.ts';
import { github } from './github.ts';

/** GitHub's own examples; the package's declared types are of its module, not of the file. */
const examples: { name: string; examples: Record<string, unknown>[] }[] = JSON.parse(
  readFileSync(new URL(import.meta.resolve('@octokit/webhooks-examples')), 'utf8'),
);
const pushes = examples.find(({ name }) => name === 'push')?.examples ?? [];
const branchPush = pushes.find((payload) => payload['ref'] === 'refs/heads/master') ?? {};
const tagPush = pushes.find((payload) => payload['ref'] === 'refs/tags/simple-tag' && payload['created']) ?? {};
const zeros = '0'.repeat(40);
const sha = '6113728f27ae82c7b1a177c8d03f9e96e0adf246';

function delivery(payload: unknown, headers: Record<string, string> = {}): Delivery {
  const all = { 'x-github-event': 'push', 'content-type': 'application/json', ...headers };
  return { headers: all, body: Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload)) };
}

const parse = (payload: unknown, headers?: Record<string, string>): Received =>
  github.parse(delivery(payload, headers));
const reasonOf = (received: Received): string => (received.kind === 'ignored' ? received.reason : 'push');
const withCommit = (change: object) => ({
  ...branchPush,
  head_commit: { ...(branchPush['head_commit'] as object), ...change },
});
const withRepository = (change: object) => ({
  ...branchPush,
  repository: { ...(branchPush['repository'] as object), ...change },
});
const pushOf = (payload: unknown) => {
  const received = parse(payload);
  assert.equal(received.kind, 'push');
  return received.kind === 'push' ? received.push : assert.fail();
};

describe('github.verify', () => {
  it('takes the SHA-256 header over the raw body, and never the SHA-1 one', () => {
    const { headers, body } = delivery(branchPush);
    const sign = (algorithm: string): string =>
      `${algorithm}=${createHmac(algorithm, 's3cret').update(body).digest('hex')}`;
    assert.equal(
      github.verify({ headers: { ...headers, 'x-hub-signature-256': sign('sha256') }, body }, 's3cret'),
      true,
    );
    assert.equal(github.verify({ headers: { ...headers, 'x-hub-signature': sign('sha1') }, body }, 's3cret'), false);
  });
});

describe('github.identify', () => {
  const digest = createHash('sha256').update('{}').digest('hex');
  it('takes the id and the hook from the headers, and the digest from the body', () => {
    const headers = { 'x-github-delivery': '72d3162e-cc78-11e3', 'x-github-hook-id': '292430182' };
    assert.deepEqual(github.identify(delivery('{}', headers)), {
      id: '72d3162e-cc78-11e3',
      hookId: '292430182',
      digest,
    });
  });

  it('falls back to the digest where the id is missing or cannot be stored', () => {
    for (const id of ['', 'a'.repeat(257), 'a b', 'ü']) {
      const headers = { 'x-github-delivery': id, 'x-github-hook-id': id };
      assert.deepEqual(github.identify(delivery('{}', headers)), { id: digest, hookId: undefined, digest });
    }
  });
});

describe('github.parse', () => {
  it("takes the push of a branch as GitHub's own example has it", () => {
    assert.deepEqual(parse(branchPush), {
      kind: 'push',
      push: {
        forge: 'github',
        cloneUrls: [
          'https://github.com/Codertocat/Hello-World.git',
          'git@github.com:Codertocat/Hello-World.git',
          'git://github.com/Codertocat/Hello-World.git',
          'https://github.com/Codertocat/Hello-World',
          'https://github.com/Codertocat/Hello-World',
        ],
        ref: 'refs/heads/master',
        before: zeros,
        after: sha,
        commit: sha,
        author: 'Codertocat',
        message: 'Initial commit',
        pushTime: '2019-05-15T15:20:57Z',
      },
    });
  });

  it('parses or ignores every example of every event, with a reason', () => {
    for (const { name, examples: payloads } of examples) {
      for (const payload of payloads) {
        const received = parse(payload, { 'x-github-event': name });
        const expected = name === 'ping' ? ['Ping'] : name === 'push' ? ['push', 'RefDeleted'] : ['UnknownEvent'];
        assert.ok(expected.includes(reasonOf(received)), `${name}: ${reasonOf(received)}`);
      }
    }
  });

  it('takes both ids of an annotated tag, and one of a light one', () => {
    const light = pushOf(tagPush);
    assert.deepEqual([light.after, light.commit], [sha, sha]);
    const annotated = pushOf({ ...tagPush, after: 'f'.repeat(40) });
    assert.deepEqual([annotated.after, annotated.commit], ['f'.repeat(40), sha]);
  });

  it('takes the same push as a form', () => {
    const form = new URLSearchParams({ payload: JSON.stringify(branchPush) }).toString();
    const headers = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };
    assert.deepEqual(parse(form, headers), parse(branchPush));
  });

  const ignored: readonly (readonly [name: string, payload: object, reason: string])[] = [
    ['a deleted ref', { ...branchPush, deleted: true, after: zeros, head_commit: null }, 'RefDeleted'],
    [
      'a deleted ref of a SHA-256 repository',
      { ...branchPush, after: '0'.repeat(64), head_commit: null },
      'RefDeleted',
    ],
    ['a tag of something that is not a commit', { ...tagPush, head_commit: null }, 'NotACommit'],
    ['a branch whose head commit is not told', { ...branchPush, head_commit: null }, 'push'],
    ['a SHA-256 repository', { ...branchPush, after: 'a'.repeat(64), head_commit: null }, 'push'],
    ['no before', { ...branchPush, before: null }, 'push'],
  ];
  for (const [name, payload, reason] of ignored) {
    it(`makes ${reason} of ${name}`, () => assert.equal(reasonOf(parse(payload)), reason));
  }

  const malformed: readonly (readonly [name: string, payload: unknown, headers?: Record<string, string>])[] = [
    ['an empty body', ''],
    ['no JSON', '{'],
    ['a list', '[]'],
    ['a number', '1'],
    ['a short id', { ...branchPush, after: 'abc' }],
    ['an option for an id', { ...branchPush, after: '--upload-pack=touch /tmp/p' }],
    ['a bad head commit id', withCommit({ id: 'HEAD' })],
    ['a ref that is none', { ...branchPush, ref: 'master' }],
    ['a ref with ..', { ...branchPush, ref: 'refs/heads/../x' }],
    ['a ref with a lone surrogate', { ...branchPush, ref: 'refs/heads/\ud800' }],
    ['a ref of 2000 characters', { ...branchPush, ref: `refs/heads/${'a'.repeat(2000)}` }],
    ['a form without payload', 'x=1', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['a form with two payloads', 'payload={}&payload={}', { 'content-type': 'application/x-www-form-urlencoded' }],
  ];
  for (const [name, payload, headers] of malformed) {
    it(`throws MalformedDelivery for ${name}`, () => {
      assert.throws(() => parse(payload, headers), MalformedDelivery);
    });
  }

  it('throws MalformedDelivery for bytes that are not UTF-8, and for no event', () => {
    const { headers, body } = delivery(branchPush);
    assert.throws(() => github.parse({ headers, body: Buffer.concat([body, Buffer.from([0xff])]) }), MalformedDelivery);
    assert.throws(() => github.parse({ headers: {}, body }), MalformedDelivery);
  });

  it('drops a byte order mark', () => {
    assert.equal(parse(`\ufeff${JSON.stringify(branchPush)}`).kind, 'push');
  });

  it('reads the push time as seconds or as text, and leaves out what is neither', () => {
    const times: readonly (readonly [value: unknown, time: string | undefined])[] = [
      [1557933657, '2019-05-15T15:20:57Z'],
      ['2019-05-15T15:20:57Z', '2019-05-15T15:20:57Z'],
      ['2019-05-15T17:20:57+02:00', '2019-05-15T15:20:57Z'],
      ['yesterday', undefined],
      ['2019', undefined],
      [-1, undefined],
      [1e300, undefined],
      [null, undefined],
    ];
    for (const [value, time] of times) assert.equal(pushOf(withRepository({ pushed_at: value })).pushTime, time);
  });

  it('takes the first line of the message, and the author by name', () => {
    const push = pushOf(withCommit({ message: 'Fix it\r\n\r\nand more', author: { name: 'Zoë' } }));
    assert.deepEqual([push.message, push.author], ['Fix it', 'Zoë']);
  });
});
