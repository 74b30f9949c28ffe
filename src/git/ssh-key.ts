// The private key for an ssh repository, checked before ssh sees it: ssh says only that it cannot load a key, and of one
// with a passphrase nothing at all. Called by ssh.ts. Pure. No message holds a part of the key.
import { createPrivateKey } from 'node:crypto';
import { TerminalError } from '../errors.ts';

const field = 'the key that spec.sshPrivateKeySecret names';
const block = /^-----BEGIN ((?:[A-Z0-9]+ )*)PRIVATE KEY-----\n([\s\S]*?)\n-----END \1PRIVATE KEY-----$/m;

/**
 * The key as a file that ssh reads: its own lines only, ended by a newline (Secrets made by hand often lack it).
 * Throws TerminalError: KeyInvalid, KeyEncrypted.
 */
export function keyFile(text: string): string {
  const lines = text
    .replaceAll('\r', '\n')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const found = block.exec(lines.join('\n'));
  if (found === null) throw invalid(whatItIs(text));
  const [whole, kind = '', body = ''] = found;
  if (kind === 'ENCRYPTED ' || body.includes('Proc-Type: 4,ENCRYPTED')) throw encrypted();
  if (kind === 'OPENSSH ') checkOpenSsh(Buffer.from(body, 'base64'));
  else checkPem(whole);
  return `${whole}\n`;
}

function invalid(why: string): TerminalError {
  return new TerminalError(
    'KeyInvalid',
    `${field} ${why}: put the whole file that ssh-keygen -t ed25519 writes into the Secret, from -----BEGIN to -----END`,
  );
}

function encrypted(): TerminalError {
  return new TerminalError(
    'KeyEncrypted',
    `${field} is protected by a passphrase, which nobody is there to type: make a key without one for kube-git alone (ssh-keygen -t ed25519 -N "" -f key), and give the repository its public half`,
  );
}

/** What people put there instead. */
function whatItIs(text: string): string {
  const start = text.trimStart();
  if (/^(?:ssh-|ecdsa-|sk-|---- BEGIN SSH2 PUBLIC|-----BEGIN (?:RSA )?PUBLIC)/.test(start)) {
    return 'is the public half of a key, not the private one';
  }
  if (start.startsWith('PuTTY-User-Key-File'))
    return 'is in the format of PuTTY (puttygen -O private-openssh converts it)';
  if (start.startsWith('LS0tLS1CRUdJTi')) return 'is base64 of base64 (under stringData a Secret takes it as it is)';
  if (start.startsWith('-----BEGIN')) return 'is cut off';
  return 'is no private key';
}

const magic = Buffer.from('openssh-key-v1\0');

/** OpenSSH's own format (PROTOCOL.key in its source): cipher, kdf, kdf's options, 1, public key, private part. */
function checkOpenSsh(blob: Buffer): void {
  if (!blob.subarray(0, magic.length).equals(magic)) throw invalid('is damaged');
  const [cipher, at] = readString(blob, magic.length);
  if (cipher.toString('latin1') !== 'none') throw encrypted();
  const [, afterKdf] = readString(blob, at);
  const [, afterOptions] = readString(blob, afterKdf);
  const [, afterPublic] = readString(blob, afterOptions + 4);
  const [secret] = readString(blob, afterPublic);
  const isWhole = secret.length >= 8 && secret.subarray(0, 4).equals(secret.subarray(4, 8)); // the two check numbers
  if (!isWhole) throw invalid('is damaged');
}

/** A string (length, bytes) at an offset, and the offset after it. */
function readString(blob: Buffer, offset: number): readonly [Buffer, number] {
  if (offset + 4 > blob.length) throw invalid('is cut off');
  const end = offset + 4 + blob.readUInt32BE(offset);
  if (end > blob.length) throw invalid('is cut off');
  return [blob.subarray(offset + 4, end), end];
}

function checkPem(pem: string): void {
  try {
    createPrivateKey(pem);
  } catch {
    throw invalid('is damaged');
  }
}
