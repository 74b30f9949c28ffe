import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { isStaticProgram } from './elf.ts';

/** The head of a 64-bit program with one program header of the given type. */
function program(headerType: number): Buffer {
  const bytes = Buffer.alloc(64 + 56);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2]);
  bytes.writeBigUInt64LE(64n, 32);
  bytes.writeUInt16LE(56, 54);
  bytes.writeUInt16LE(1, 56);
  bytes.writeUInt32LE(headerType, 64);
  return bytes;
}

describe('isStaticProgram', () => {
  const cases: readonly [string, Buffer, boolean][] = [
    ['a program with a loadable segment only', program(1), true],
    ['a program that names its loader', program(3), false],
    ['a script', Buffer.from('#!/bin/sh\nexit 0\n'), false],
    ['an empty file', Buffer.alloc(0), false],
  ];
  for (const [name, bytes, expected] of cases) {
    it(`${name}: ${expected}`, async (t) => {
      const folder = await mkdtemp(join(tmpdir(), 'kubegit-elf-'));
      t.after(() => rm(folder, { recursive: true }));
      await writeFile(join(folder, 'program'), bytes);
      assert.equal(await isStaticProgram(join(folder, 'program')), expected);
    });
  }

  it('this Node, which is linked against the C library: false', { skip: process.platform !== 'linux' }, async () => {
    assert.equal(await isStaticProgram(process.execPath), false);
  });
});
