import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { getCACertificates } from 'node:tls';
import { privateAuthority } from '../test/env/tls-authority.ts';
import { loadTrust } from './trust.ts';

describe('loadTrust', () => {
  it('without a file leaves everybody their own', async () => assert.equal(await loadTrust(''), undefined));

  it('adds the certificates of the file to those that are trusted anyway', async (t) => {
    const { file } = await privateAuthority(t);
    const own = (await readFile(file, 'utf8')).slice('Our own authority\n'.length).trim();
    const trust = new Set(await loadTrust(file));
    assert.ok(trust.has(own));
    assert.ok(getCACertificates('default').length > 50);
    for (const certificate of getCACertificates('default')) assert.ok(trust.has(certificate));
  });

  it('refuses a file that is not there, holds no certificate or a damaged one', async (t) => {
    const { file } = await privateAuthority(t);
    await assert.rejects(loadTrust(`${file}.none`), /^Error: -ca-file cannot be read: ENOENT/);
    const text = await readFile(file, 'utf8');
    await writeFile(file, 'hello');
    await assert.rejects(loadTrust(file), /holds no certificate in PEM/);
    await writeFile(file, text.replace(/-\n.{20}/, '-\n'));
    await assert.rejects(loadTrust(file), /certificate 1 of -ca-file .* is damaged/);
  });
});
