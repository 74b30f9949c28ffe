// One certificate authority for a throw-away cluster: every server and client certificate of it comes from here, so that
// clients verify TLS as they do in a real one. Keys are ECDSA P-256: made in a millisecond. Written by hand, because
// Node can only read certificates, and a machine that runs the tests need not have openssl.
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import { bits, element, integer, octets, oid, pem, sequence, set, tagged, text, utcTime, yes } from './der.ts';

/** Both PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

export interface CertificateRequest {
  readonly commonName: string;
  /** Kubernetes reads them as groups. */
  readonly organizations?: readonly string[];
  /** IPv4 addresses and DNS names a server is reached by; none for a client. */
  readonly names?: readonly string[];
}

export interface Authority {
  /** PEM. */
  readonly certificate: string;
  /** A certificate good for both server and client authentication. */
  issue(request: CertificateRequest): KeyPair;
}

interface Issuer {
  readonly name: Buffer;
  readonly key: KeyObject;
}

const lifetimeMs = 30 * 24 * 3600 * 1000; // longer than any demo runs
const slackMs = 3600 * 1000; // clocks of a machine and its containers may differ a little
const serialBytes = 16; // RFC 5280 allows 20

const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'));
const extensionIds = {
  keyUsage: '2.5.29.15',
  names: '2.5.29.17',
  constraints: '2.5.29.19',
  extendedUsage: '2.5.29.37',
};

/** A new authority with a key of its own, which is never written anywhere. */
export function createAuthority(commonName: string): Authority {
  const { publicKey, privateKey } = newKeys();
  const issuer = { name: nameOf({ commonName }), key: privateKey };
  const certificate = signed(issuer, issuer.name, publicKey, [
    extension(extensionIds.constraints, sequence(yes()), true),
    extension(extensionIds.keyUsage, bits(Buffer.from([0b0000_0110]), 1), true), // keyCertSign, cRLSign
  ]);
  return { certificate, issue: (request) => issue(issuer, request) };
}

/** A private key as PEM for signing service account tokens: SEC 1, the one form kube-apiserver also reads as public key. */
export function createKey(): string {
  return newKeys().privateKey.export({ format: 'pem', type: 'sec1' }) as string;
}

function issue(issuer: Issuer, request: CertificateRequest): KeyPair {
  const { publicKey, privateKey } = newKeys();
  const serverAndClient = sequence(oid('1.3.6.1.5.5.7.3.1'), oid('1.3.6.1.5.5.7.3.2'));
  const { names = [] } = request;
  const certificate = signed(issuer, nameOf(request), publicKey, [
    extension(extensionIds.constraints, sequence(), true),
    extension(extensionIds.keyUsage, bits(Buffer.from([0b1000_0000]), 7), true), // digitalSignature
    extension(extensionIds.extendedUsage, serverAndClient),
    ...(names.length === 0 ? [] : [extension(extensionIds.names, sequence(...names.map(alternativeName)))]),
  ]);
  return { certificate, key: keyPem(privateKey) };
}

/** The certificate of RFC 5280, section 4.1. */
function signed(issuer: Issuer, subject: Buffer, key: KeyObject, extensions: readonly Buffer[]): string {
  const now = Date.now();
  const content = sequence(
    tagged(0, integer(Buffer.from([2]))), // version 3
    integer(randomBytes(serialBytes)),
    ecdsaWithSha256,
    issuer.name,
    sequence(utcTime(now - slackMs), utcTime(now + lifetimeMs)),
    subject,
    key.export({ format: 'der', type: 'spki' }),
    tagged(3, sequence(...extensions)),
  );
  return pem('CERTIFICATE', sequence(content, ecdsaWithSha256, bits(sign('sha256', content, issuer.key))));
}

function extension(id: string, value: Buffer, critical = false): Buffer {
  return sequence(oid(id), ...(critical ? [yes()] : []), octets(value));
}

function nameOf({ commonName, organizations = [] }: CertificateRequest): Buffer {
  const part = (id: string, value: string): Buffer => set(sequence(oid(id), text(value)));
  return sequence(...organizations.map((organization) => part('2.5.4.10', organization)), part('2.5.4.3', commonName));
}

function alternativeName(name: string): Buffer {
  if (isIP(name) === 6) throw new Error(`certificates here are for IPv4 addresses and DNS names, not ${name}`);
  return isIP(name) ? element(0x87, Buffer.from(name.split('.').map(Number))) : element(0x82, Buffer.from(name));
}

function newKeys(): { publicKey: KeyObject; privateKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function keyPem(key: KeyObject): string {
  return key.export({ format: 'pem', type: 'pkcs8' }) as string;
}
