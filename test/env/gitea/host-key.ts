// An ed25519 key for an ssh server, made at once: Gitea's own would be an RSA key of 4096 bits, which takes seconds.
import { generateKeyPairSync } from 'node:crypto';

export interface HostKey {
  /** PEM. */
  readonly privateKey: string;
  /** As in known_hosts, after the host: ssh-ed25519 AAAA… */
  readonly publicKey: string;
}

export function makeHostKey(): HostKey {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const type = 'ssh-ed25519';
  // The last 32 bytes of its DER form are the key itself (RFC 8410).
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  const blob = Buffer.concat([sized(Buffer.from(type)), sized(raw)]); // RFC 8709, section 4
  return {
    privateKey: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    publicKey: `${type} ${blob.toString('base64')}`,
  };
}

function sized(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
