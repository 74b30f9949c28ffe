// Every forge with payloads that no forge sends, though their signature holds: a stolen secret must not be worth a crash.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { forgeSamples } from '../../test/env/forge-samples.ts';
import { MalformedDelivery } from './forge.ts';
import { forges } from './registry.ts';

const strange = [null, 0, 1.5, -1, true, '', 'text', '\ud800', [], [null], {}, { a: { b: [] } }];

/** Every copy of the value in which one field, however deep, is replaced. */
function* replaced(value: unknown): Generator<unknown> {
  yield* strange;
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    for (const other of replaced(inner)) yield Array.isArray(value) ? [other] : { ...value, [key]: other };
  }
}

for (const { deliver, forge: name, push } of forgeSamples) {
  const forge = forges.find((one) => one.name === name) ?? assert.fail(name);
  const parse = (text: string) => forge.parse(deliver(text, { secret: 'x' }));

  /** Parses, and lets nothing but MalformedDelivery through. */
  const tryParse = (text: string): void => {
    try {
      const received = parse(text);
      assert.ok(received.kind === 'push' || received.reason !== undefined);
    } catch (error) {
      assert.ok(error instanceof MalformedDelivery, String(error));
    }
  };

  describe(`${name}.parse, with hostile payloads`, () => {
    it('throws nothing but MalformedDelivery, whatever field is replaced by whatever', () => {
      let tried = 0;
      for (const payload of replaced(JSON.parse(push))) {
        tryParse(JSON.stringify(payload));
        tried += 1;
      }
      assert.ok(tried > 1000, `${tried}`);
    });

    it('throws nothing but MalformedDelivery for any JSON and any text', () => {
      fc.assert(fc.property(fc.json(), tryParse));
      fc.assert(fc.property(fc.string({ unit: 'binary' }), tryParse));
    });

    it('takes nothing from a prototype, and leaves prototypes alone', () => {
      assert.throws(() => parse(`{"__proto__": ${push}}`), MalformedDelivery);
      assert.throws(() => parse(`{"constructor": {"prototype": ${push}}}`), MalformedDelivery);
      assert.equal(Object.hasOwn(parse(`{"__proto__": {"polluted": 1}, ${push.trim().slice(1)}`), 'polluted'), false);
      assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
    });

    it('does not repeat what a malformed payload holds', () => {
      const payload = JSON.stringify({ ...JSON.parse(push), after: 'canary-4711' });
      const words = ({ message }: Error): boolean => message.startsWith('after ') && !message.includes('canary');
      assert.throws(() => parse(payload), words);
    });

    it('takes deep nesting for what it is', () => {
      const depth = 100_000;
      tryParse('['.repeat(depth) + ']'.repeat(depth));
      tryParse(`{"ref": ${'['.repeat(depth)}${']'.repeat(depth)}}`);
    });
  });
}
