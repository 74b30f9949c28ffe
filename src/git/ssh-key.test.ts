import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { makeKey } from '../../test/env/ssh-server.ts';
import { keyFile } from './ssh-key.ts';

const { privateKey: good, publicKey } = await makeKey('ed25519');
const pem = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
});

describe('keyFile', () => {
  const spellings: readonly (readonly [string, string])[] = [
    ['as it is', good],
    ['without its last newline', good.trimEnd()],
    ['with the line ends of Windows', good.replaceAll('\n', '\r\n')],
    ['indented and with lines around it', `comment\n\n${good.replaceAll(/^/gm, '  ')}\nBag Attributes`],
  ];
  for (const [name, text] of spellings) it(`gives a key ${name}`, () => assert.equal(keyFile(text), good));

  it('gives a key in PEM', () => assert.equal(keyFile(pem.privateKey.trimEnd()), pem.privateKey));

  const encrypted: readonly (readonly [string, () => Promise<string>])[] = [
    ["OpenSSH's format", async () => (await makeKey('ed25519', ['-N', 'a passphrase'])).privateKey],
    ['PEM', async () => (await makeKey('ecdsa', ['-N', 'a passphrase', '-m', 'PEM'])).privateKey],
    ['PKCS #8', async () => (await makeKey('ecdsa', ['-N', 'a passphrase', '-m', 'PKCS8'])).privateKey],
  ];
  for (const [name, make] of encrypted) {
    it(`refuses one with a passphrase in ${name} as KeyEncrypted`, async () => {
      const text = await make();
      assert.throws(() => keyFile(text), { name: 'TerminalError', reason: 'KeyEncrypted', message: /passphrase/ });
    });
  }

  const lines = good.split('\n');
  const broken: readonly (readonly [string, string, RegExp])[] = [
    ['nothing', '', /is no private key/],
    ['a word', 'hunter2', /is no private key/],
    ['its public half', publicKey, /is the public half/],
    ['a public key in PEM', pem.publicKey, /is the public half/],
    ['base64 of it', Buffer.from(good).toString('base64'), /is base64 of base64/],
    ["PuTTY's format", 'PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none', /PuTTY/],
    ['its first lines', lines.slice(0, 3).join('\n'), /is cut off/],
    ['one that lacks a line', [...lines.slice(0, 2), ...lines.slice(3)].join('\n'), /is (cut off|damaged)/],
    ['one in PEM that lacks a line', pem.privateKey.split('\n').toSpliced(3, 1).join('\n'), /is damaged/],
    ['another block', good.replaceAll('OPENSSH', 'SSH'), /is damaged/],
  ];
  for (const [name, text, message] of broken) {
    it(`refuses ${name} as KeyInvalid, without showing it`, () => {
      assert.throws(
        () => keyFile(text),
        (error: Error & { reason: string }) => {
          assert.equal(error.reason, 'KeyInvalid');
          assert.match(error.message, message);
          return !error.message.includes('hunter2') && !error.message.includes(lines[1] ?? '');
        },
      );
    });
  }
});
