import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MalformedDelivery } from './forge.ts';
import { github } from './github.ts';

/** GitHub's own examples; the package's declared types are of its module, not of the file. */
const examples: { name: string; examples: Record<string, unknown>[] }[] = JSON.parse(
  readFileSync(new URL(import.meta.resolve('@octokit/webhooks-examples')), 'utf8'),
);
const pushes = examples.find(({ name }) => name === 'push')?.examples ?? [];
const strange = [null, 0, 1.5, -1, true, '', 'text', '\ud800', [], [null], {}, { a: { b: [] } }];

/** Parses, and lets nothing but MalformedDelivery through. */
function tryParse(text: string): void {
  const headers = { 'x-github-event': 'push', 'content-type': 'application/json' };
  try {
    const received = github.parse({ headers, body: Buffer.from(text) });
    assert.ok(received.kind === 'push' || received.reason !== undefined);
  } catch (error) {
    assert.ok(error instanceof MalformedDelivery, String(error));
  }
}

/** Every copy of the value in which one field, however deep, is replaced. */
function* replaced(value: unknown): Generator<unknown> {
  yield* strange;
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    for (const other of replaced(inner)) yield Array.isArray(value) ? [other] : { ...value, [key]: other };
  }
}

describe('github.parse, with hostile payloads', () => {
  it('throws nothing but MalformedDelivery, whatever field is replaced by whatever', () => {
    let tried = 0;
    for (const push of pushes.slice(0, 2)) {
      for (const payload of replaced(push)) {
        tryParse(JSON.stringify(payload));
        tried += 1;
      }
    }
    assert.ok(tried > 3000, `${tried}`);
  });

  it('throws nothing but MalformedDelivery for any JSON and any text', () => {
    fc.assert(fc.property(fc.json(), tryParse));
    fc.assert(fc.property(fc.string({ unit: 'binary' }), tryParse));
  });

  it('takes nothing from a prototype, and leaves prototypes alone', () => {
    const inner = JSON.stringify(pushes[0]);
    assert.throws(() => github.parse(delivery(`{"__proto__": ${inner}}`)), MalformedDelivery);
    assert.throws(() => github.parse(delivery(`{"constructor": {"prototype": ${inner}}}`)), MalformedDelivery);
    const polluted = `{"__proto__": {"polluted": 1}, ${inner.slice(1)}`;
    assert.equal(Object.hasOwn(github.parse(delivery(polluted)), 'polluted'), false);
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
  });

  it('does not repeat what a malformed payload holds', () => {
    const payload = JSON.stringify({ ...pushes[0], after: 'canary-4711' });
    assert.throws(
      () => github.parse(delivery(payload)),
      (error: Error) => error.message.startsWith('after ') && !error.message.includes('canary'),
    );
  });

  it('takes deep nesting for what it is', () => {
    const depth = 100_000;
    tryParse('['.repeat(depth) + ']'.repeat(depth));
    tryParse(`{"ref": ${'['.repeat(depth)}${']'.repeat(depth)}}`);
  });
});

function delivery(text: string) {
  return { headers: { 'x-github-event': 'push' }, body: Buffer.from(text) };
}
