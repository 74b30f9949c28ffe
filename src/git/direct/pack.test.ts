import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { entriesOf, taggedBy, treeOf } from './objects.ts';
import { type GitObject, idOf, ObjectTooLarge, type ObjectType, readPack } from './pack.ts';
import { packOf, questionOf } from './pkt-line.ts';
import { Unusable } from './unusable.ts';

const codes = { commit: 1, tree: 2, blob: 3, tag: 4 };
const options = { format: 'sha1', maxBytes: 1024 * 1024 } as const;

/** As git writes it: type and low four bits of the size, then seven bits a byte. */
function packed({ type, content }: GitObject, size = content.length): Buffer {
  const head = [(codes[type] << 4) | (size & 15)];
  for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 128)) {
    head[head.length - 1]! |= 128;
    head.push(rest % 128);
  }
  return Buffer.concat([Buffer.from(head), deflateSync(content)]);
}

function packWith(...objects: readonly Buffer[]): Buffer {
  const header = Buffer.from('PACK\0\0\0\x02\0\0\0\0', 'latin1');
  header.writeUInt32BE(objects.length, 8);
  const body = Buffer.concat([header, ...objects]);
  return Buffer.concat([body, createHash('sha1').update(body).digest()]);
}

const blob = (text: string | Buffer): GitObject => ({ type: 'blob', content: Buffer.from(text) });

describe('readPack', () => {
  it('gives each object by the id that git gives it', () => {
    const found = readPack(packWith(packed(blob('hello\n')), packed(blob(''))), options);
    assert.deepEqual(
      [...found.keys()],
      ['ce013625030ba8dba906f756967f9e9ca394464a', 'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391'],
    );
    assert.equal(found.get('ce013625030ba8dba906f756967f9e9ca394464a')?.content.toString(), 'hello\n');
  });

  it('reads objects of every type and size, one after another', () => {
    const object = fc.record({
      type: fc.constantFrom<ObjectType>('commit', 'tree', 'blob', 'tag'),
      content: fc.oneof(
        fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
        fc.integer({ min: 0, max: 70_000 }).map((size) => randomBytes(size)),
      ),
    });
    fc.assert(
      fc.property(fc.array(object, { minLength: 1, maxLength: 16 }), (objects) => {
        const found = readPack(packWith(...objects.map((one) => packed(one))), options);
        for (const one of objects) assert.deepEqual(found.get(idOf(one, 'sha1')), { ...one });
      }),
      { numRuns: 50 },
    );
  });

  it('unpacks nothing that is larger than it may be', () => {
    const large = packWith(packed(blob(Buffer.alloc(2_000_000))));
    assert.throws(() => readPack(large, options), ObjectTooLarge);
    const lying = packWith(packed(blob(Buffer.alloc(2_000_000)), 10));
    assert.throws(() => readPack(lying, options), Unusable);
  });

  const hostile: Readonly<Record<string, Buffer>> = {
    'no pack': Buffer.from('<html>'),
    'another version': Buffer.from('PACK\0\0\0\x03\0\0\0\x01', 'latin1'),
    'a thousand million objects': Buffer.from('PACK\0\0\0\x02\x3b\x9a\xca\0', 'latin1'),
    'fewer objects than it says': packWith(packed(blob('x'))).fill(2, 11, 12),
    'a delta': packWith(Buffer.from([0x71, ...randomBytes(30)])),
    'a size without end': packWith(Buffer.alloc(50, 0xff).fill(0xb1, 0, 1)),
    'what cannot be inflated': packWith(Buffer.from([0x35, 1, 2, 3])),
  };
  for (const [what, pack] of Object.entries(hostile)) {
    it(`refuses ${what}`, () => assert.throws(() => readPack(pack, options), Unusable));
  }
});

describe('what a server sends', () => {
  it('is read or refused, whatever the bytes', () => {
    const line = fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
      fc
        .constantFrom('packfile\n', 'shallow-info\n', '\x01PACK', '\x02busy', '\x03sorry', 'ERR no')
        .map((text) => Buffer.from(text, 'latin1')),
    );
    const answer = fc
      .array(line, { maxLength: 8 })
      .map((lines) =>
        Buffer.concat(lines.flatMap((one) => [Buffer.from((one.length + 4).toString(16).padStart(4, '0')), one])),
      );
    const read = (bytes: Buffer): void => {
      try {
        for (const object of readPack(packOf(bytes), options).values()) treeOf(object);
      } catch (error) {
        assert.ok(error instanceof Unusable, String(error));
      }
    };
    fc.assert(
      fc.property(
        fc.oneof(
          answer,
          fc.uint8Array().map((bytes) => Buffer.from(bytes)),
        ),
        read,
      ),
      { numRuns: 500 },
    );
  });

  it('that is an error becomes its words, without control characters', () => {
    assert.throws(() => packOf(Buffer.from('0018ERR upload\u001b[31m gone')), {
      name: 'Unusable',
      message: 'ERR upload [31m gone',
    });
    assert.throws(() => packOf(Buffer.from('000dpackfile\n000c\u0003no more')), { message: 'no more' });
    assert.throws(() => packOf(Buffer.from('0000')), { message: 'the answer holds no pack' });
    assert.throws(() => packOf(Buffer.from('00ffcut')), { message: /cut or garbled/ });
  });
});

describe('questionOf', () => {
  it('asks as gitprotocol-v2 says', () => {
    const id = 'a'.repeat(40);
    assert.equal(
      questionOf({ ids: [id], format: 'sha1', alone: true }),
      `0012command=fetch\n00010010no-progress\n0012filter tree:0\n000ddeepen 1\n0032want ${id}\n0009done\n0000`,
    );
    assert.match(
      questionOf({ ids: ['b'.repeat(64)], format: 'sha256', alone: false }),
      /^0012command=fetch\n0019object-format=sha256\n0001(?!.*filter)/s,
    );
  });
});

describe('objects', () => {
  it('give the tree of a commit and what a tag stands for, and nothing else', () => {
    const id = '1'.repeat(40);
    assert.equal(treeOf({ type: 'commit', content: Buffer.from(`tree ${id}\nauthor x`) }), id);
    assert.equal(taggedBy({ type: 'tag', content: Buffer.from(`object ${id}\ntype commit\n`) }), id);
    for (const text of ['', 'tree', `tree ${id}`, `tree ${id}0\n`, `\ntree ${id}\n`, 'tree ../../x\n']) {
      assert.throws(() => treeOf({ type: 'commit', content: Buffer.from(text) }), Unusable);
    }
  });

  it('give the entries of a tree, and refuse one that is cut', () => {
    const content = Buffer.concat([
      Buffer.from('40000 ci\0'),
      Buffer.alloc(20, 1),
      Buffer.from('100644 é \0'),
      Buffer.alloc(20, 2),
    ]);
    assert.deepEqual(entriesOf({ type: 'tree', content }, 'sha1'), [
      { mode: '040000', name: 'ci', id: '01'.repeat(20) },
      { mode: '100644', name: 'é ', id: '02'.repeat(20) },
    ]);
    for (let end = 1; end < content.length; end++) {
      if (end === 29) continue; // the end of the first entry
      assert.throws(() => entriesOf({ type: 'tree', content: content.subarray(0, end) }, 'sha1'), Unusable);
    }
  });
});
