// Reads the head of a Linux program. One question only: does it need a dynamic loader?
import { open } from 'node:fs/promises';

// Offsets and numbers of the 64-bit ELF format, man 5 elf.
const magic = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2]);
const headerBytes = 64;
const programHeadersAt = 32;
const programHeaderBytes = 54;
const programHeaderCount = 56;
const typeInterpreter = 3;

/** False for a program that names an interpreter (ld.so), and for anything that is no 64-bit program. */
export async function isStaticProgram(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const header = Buffer.alloc(headerBytes);
    await file.read(header, 0, headerBytes, 0);
    if (!header.subarray(0, magic.length).equals(magic)) return false;
    const size = header.readUInt16LE(programHeaderBytes);
    const table = Buffer.alloc(size * header.readUInt16LE(programHeaderCount));
    await file.read(table, 0, table.length, Number(header.readBigUInt64LE(programHeadersAt)));
    return !Array.from({ length: table.length / size }, (_, i) => table.readUInt32LE(i * size)).includes(
      typeInterpreter,
    );
  } finally {
    await file.close();
  }
}
