// Certificates as TLS clients and servers take them: checked by a real handshake.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { type Authority, createAuthority } from './certificates.ts';
import { listenOnFreePort } from './ports.ts';

/** Connects to a server with such a certificate; gives what the server knows of the client. */
async function shakeHands(
  t: { after(fn: () => unknown): void },
  authority: Authority,
  names: readonly string[],
  ca: string,
) {
  const server = authority.issue({ commonName: 'server', names });
  const client = authority.issue({ commonName: 'kubelet', organizations: ['system:masters', 'Zwölf'] });
  const listener = createServer({
    cert: server.certificate,
    key: server.key,
    requestCert: true,
    ca: authority.certificate,
  });
  listener.on('tlsClientError', () => {});
  const port = await listenOnFreePort(listener);
  t.after(() => listener.close());
  const accepted = once(listener, 'secureConnection') as Promise<[TLSSocket]>;
  const socket = connect({ host: '127.0.0.1', port, ca, cert: client.certificate, key: client.key });
  t.after(() => socket.destroy());
  await once(socket, 'secureConnect');
  const [seen] = await accepted;
  return { authorized: seen.authorized, subject: seen.getPeerCertificate().subject };
}

describe('createAuthority', () => {
  it('issues certificates that both sides of a connection verify', async (t) => {
    const authority = createAuthority('test');
    const seen = await shakeHands(t, authority, ['localhost', '127.0.0.1'], authority.certificate);
    assert.equal(seen.authorized, true);
    assert.equal(seen.subject.CN, 'kubelet');
    assert.deepEqual(seen.subject.O, ['system:masters', 'Zwölf']);
  });

  it('is refused for an address the certificate does not name', async (t) => {
    const authority = createAuthority('test');
    await assert.rejects(shakeHands(t, authority, ['10.96.0.1'], authority.certificate), {
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
  });

  it('is refused by a client that knows another authority of the same name', async (t) => {
    const other = createAuthority('test');
    await assert.rejects(shakeHands(t, createAuthority('test'), ['127.0.0.1'], other.certificate));
  });

  it('gives every certificate its own serial number', () => {
    const authority = createAuthority('test');
    const serials = Array.from(
      { length: 600 }, // one in 256 begins with a zero byte, which DER leaves out
      () => new X509Certificate(authority.issue({ commonName: 'x' }).certificate).serialNumber,
    );
    assert.equal(new Set(serials).size, 600);
  });
});
