// What every forge promises (forge.ts), the same table for each row of the registry.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type ForgeSample, forgeSamples } from '../../test/env/forge-samples.ts';
import { canonicalRepository } from '../api/repository.ts';
import { type Delivery, type Forge, MalformedDelivery } from './forge.ts';
import { isObjectId, isValidRef, isZeroId } from './ref.ts';
import { forges } from './registry.ts';

const secret = 'a secret of some length';

it('every forge has a sample, and a name of its own that is fit for a path and a label', () => {
  assert.deepEqual(forgeSamples.map(({ forge }) => forge).sort(), forges.map(({ name }) => name).sort());
  assert.equal(new Set(forges.map(({ name }) => name)).size, forges.length);
  for (const { name } of forges) assert.match(name, /^[a-z][a-z0-9-]{0,62}$/);
});

for (const sample of forgeSamples) {
  const forge = forges.find(({ name }) => name === sample.forge) ?? assert.fail(`${sample.forge} is not registered`);
  describe(`the forge ${forge.name}`, () => {
    describe('verify', () => verifies(forge, sample));
    describe('identify', () => identifies(forge, sample));
    describe('parse', () => parses(forge, sample));
  });
}

function verifies(forge: Forge, { deliver, push, signatures }: ForgeSample): void {
  for (const form of [false, true]) {
    const good = deliver(push, { secret, form });
    const withHeaders = (change: (value: string) => string | undefined): Delivery => {
      const changed = signatures.map((name) => [name, change(good.headers[name] ?? '')]);
      return { ...good, headers: { ...good.headers, ...Object.fromEntries(changed) } };
    };
    const refused: readonly (readonly [name: string, delivery: Delivery, key?: string])[] = [
      ['no signature', withHeaders(() => undefined)],
      ['empty signatures', withHeaders(() => '')],
      ['signatures of nothing, as without a secret', withHeaders((value) => value.replace(/[0-9a-f]{64}$/, ''))],
      ['a signature twice', withHeaders((value) => `${value}, ${value}`)],
      ['one wrong digit', withHeaders((value) => value.replace(/.$/, (last) => (last === '0' ? '1' : '0')))],
      ['10 KB of signature', withHeaders((value) => value.repeat(150))],
      ['another secret', good, 'another secret'],
      ['an empty secret', deliver(push, { secret: '', form }), ''],
      ['a secret of white space', deliver(push, { secret: ' \n', form }), ' \n'],
      ['a byte more', { ...good, body: Buffer.concat([good.body, Buffer.from(' ')]) }],
      ['another byte', { ...good, body: Buffer.from(good.body).fill('x', 30, 31) }],
      ['nothing in the body', { ...good, body: Buffer.alloc(0) }],
    ];
    it(`takes what it signed itself, ${form ? 'as a form' : 'as JSON'}`, () => {
      assert.equal(forge.verify(good, secret), true);
    });
    for (const [name, delivery, key = secret] of refused) {
      it(`refuses ${name}, ${form ? 'as a form' : 'as JSON'}`, () => assert.equal(forge.verify(delivery, key), false));
    }
  }

  it('takes any one of its signatures alone', () => {
    const { body, headers } = deliver(push, { secret });
    for (const name of signatures) {
      const others = Object.fromEntries(signatures.filter((one) => one !== name).map((one) => [one, undefined]));
      assert.equal(forge.verify({ body, headers: { ...headers, ...others } }, secret), true, name);
    }
  });

  it('never throws, and takes no guess', () => {
    const value = fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^(?:sha256=)?[0-9a-f]{64}$/));
    fc.assert(
      fc.property(value, fc.uint8Array(), fc.boolean(), (signature, body, form) => {
        const { headers } = deliver(push, { secret, form });
        const guessed = Object.fromEntries(signatures.map((name) => [name, signature]));
        assert.equal(forge.verify({ headers: { ...headers, ...guessed }, body }, secret), false);
      }),
    );
  });
}

function identifies(forge: Forge, { deliver, push }: ForgeSample): void {
  it('knows a delivery again by its id, and its content by the digest', () => {
    const delivery = deliver(push, { secret });
    const known = forge.identify(delivery);
    assert.deepEqual(forge.identify(deliver(push, { secret })), known);
    assert.notEqual(known.id, known.digest);
    assert.equal(known.digest, createHash('sha256').update(delivery.body).digest('hex'));
    assert.notEqual(forge.identify(deliver(`${push} `, { secret })).digest, known.digest);
  });

  it('never throws, and gives only what can be stored', () => {
    const headers = fc.dictionary(fc.constantFrom(...Object.keys(deliver(push, { secret }).headers)), fc.string());
    fc.assert(
      fc.property(headers, fc.uint8Array(), (all, body) => {
        const { id, hookId, digest } = forge.identify({ headers: all, body });
        for (const text of [id, hookId ?? 'none']) assert.match(text, /^[\x21-\x7e]{1,256}$/);
        assert.match(digest, /^[0-9a-f]{64}$/);
      }),
    );
  });
}

function parses(forge: Forge, { deliver, event, push }: ForgeSample): void {
  it('gives the push in the terms of all forges, the same for JSON and form, and leaves the delivery alone', () => {
    const delivery = deliver(push, { secret });
    const before = Buffer.from(delivery.body);
    const received = forge.parse(delivery);
    assert.ok(received.kind === 'push');
    const { after, before: old, cloneUrls, commit, forge: name, ref } = received.push;
    assert.equal(name, forge.name);
    assert.ok(isValidRef(ref) && [after, commit, old ?? after].every(isObjectId) && !isZeroId(after));
    assert.equal(new Set(cloneUrls.map(canonicalRepository)).size, 1);
    assert.deepEqual(forge.parse(deliver(push, { secret, form: true })), received);
    assert.ok(before.equals(delivery.body));
  });

  it('ignores events it does not know, whatever their name, and says so in one short line', () => {
    for (const name of ['issues', 'push2', '', 'x'.repeat(1000), 'a\nb']) {
      const received = forge.parse(deliver('{}', { secret, event: name }));
      assert.ok(received.kind === 'ignored' && received.reason === 'UnknownEvent', name);
      assert.match(received.message, /^.{1,200}$/);
    }
  });

  it('throws MalformedDelivery for what is no push, and where the event is not told', () => {
    for (const text of ['', '{', '[]', '1', 'null', '"push"', '{}', '{"ref":{}}']) {
      assert.throws(() => forge.parse(deliver(text, { secret })), MalformedDelivery, text);
    }
    const { body, headers } = deliver(push, { secret });
    assert.throws(() => forge.parse({ body, headers: { ...headers, [event]: undefined } }), MalformedDelivery);
  });
}
