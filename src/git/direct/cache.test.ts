import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ManualClock } from '../../../test/env/manual-clock.ts';
import { ObjectCache } from './cache.ts';
import type { ObjectType } from './pack.ts';

const object = (type: ObjectType, size = 1000) => ({ type, content: Buffer.alloc(size) });

describe('the cache of objects', () => {
  it('keeps trees and blobs, and a commit for a minute', async () => {
    const clock = new ManualClock();
    const cache = new ObjectCache({ maxBytes: 1_000_000, clock });
    for (const type of ['commit', 'tree', 'blob'] as const) cache.set(type, object(type));
    await clock.advance(59_000);
    assert.ok(cache.get('commit'));
    await clock.advance(2_000);
    assert.equal(cache.get('commit'), undefined);
    assert.ok(cache.get('tree') && cache.get('blob'));
  });

  it('lets go of what was not used for longest, and takes nothing that is large', () => {
    const cache = new ObjectCache({ maxBytes: 10_000, clock: new ManualClock() });
    for (let n = 0; n < 8; n++) cache.set(`blob ${n}`, object('blob'));
    assert.ok(cache.get('blob 0'));
    cache.set('one more', object('blob'));
    assert.equal(cache.get('blob 1'), undefined);
    assert.ok(cache.get('blob 0') && cache.get('one more'));
    cache.set('large', object('blob', 2_000));
    assert.equal(cache.get('large'), undefined);
  });

  it('counts what is put in twice once', () => {
    const cache = new ObjectCache({ maxBytes: 10_000, clock: new ManualClock() });
    for (let n = 0; n < 100; n++) cache.set('the same', object('blob'));
    for (let n = 0; n < 7; n++) cache.set(`blob ${n}`, object('blob'));
    assert.ok(cache.get('the same'));
  });
});
