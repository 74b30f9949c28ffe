import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { createAuthority } from '../../test/env/certificates.ts';
import { KubeClient } from './client.ts';
import { loadKubeConfig } from './kubeconfig.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const authority = createAuthority('test');
const stranger = createAuthority('stranger');
const client = authority.issue({ commonName: 'someone', organizations: ['team'] });

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kubeconfig-file-test-'));
  await writeFile(join(folder, 'ca.pem'), authority.certificate);
  await writeFile(join(folder, 'client.pem'), client.certificate);
  await writeFile(join(folder, 'client.key'), client.key);
});
after(() => rm(folder, { recursive: true }));

interface Parts {
  readonly cluster?: object;
  readonly user?: object;
}

async function write({ cluster, user }: Parts): Promise<string> {
  const path = join(folder, 'config');
  const config = {
    'current-context': 'x',
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1', ...cluster } }],
    users: [{ name: 'u', user: { ...user } }],
  };
  await writeFile(path, JSON.stringify(config));
  return path;
}

describe('a kubeconfig file and TLS', () => {
  let server: Server;
  before(async () => {
    const { certificate: cert, key } = authority.issue({ commonName: 'server', names: ['api.internal'] });
    server = createServer({ cert, key, ca: authority.certificate, requestCert: true, rejectUnauthorized: false });
    server.on('request', ({ socket, headers, url }, response) => {
      const tls = socket as TLSSocket;
      const who = tls.authorized ? tls.getPeerCertificate().subject.CN : 'nobody';
      response.end(JSON.stringify({ metadata: { name: who, namespace: headers.authorization, uid: url } }));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  after(() => server.close());

  /** Who the server takes us for, the token it got, and the path. */
  async function ask({ cluster, user }: Parts): Promise<unknown[]> {
    const address = `https://127.0.0.1:${(server.address() as AddressInfo).port}/prefix/`;
    const kubeconfig = await write({ cluster: { server: address, ...cluster }, user: user ?? {} });
    const kube = new KubeClient(await loadKubeConfig({ kubeconfig, env: {} }));
    try {
      const type = { group: '', version: 'v1', plural: 'things' };
      const { name, namespace, uid } = (await kube.get(type, { namespace: 'n', name: 'a' })).metadata;
      return [name, namespace, uid];
    } finally {
      kube.close();
    }
  }

  const trusted = { 'certificate-authority-data': base64(authority.certificate), 'tls-server-name': 'api.internal' };
  const path = '/prefix/api/v1/namespaces/n/things/a';
  for (const [what, parts, expected] of [
    ['an authority as data and a server name', { cluster: trusted }, ['nobody', undefined, path]],
    [
      'an authority as a file beside it',
      { cluster: { 'certificate-authority': 'ca.pem', 'tls-server-name': 'api.internal' } },
      ['nobody', undefined, path],
    ],
    ['no verification', { cluster: { 'insecure-skip-tls-verify': true } }, ['nobody', undefined, path]],
    ['a token', { cluster: trusted, user: { token: 'abc' } }, ['nobody', 'Bearer abc', path]],
    [
      'a certificate in files',
      { cluster: trusted, user: { 'client-certificate': 'client.pem', 'client-key': 'client.key' } },
      ['someone', undefined, path],
    ],
    [
      'a certificate as data',
      {
        cluster: trusted,
        user: { 'client-certificate-data': base64(client.certificate), 'client-key-data': base64(client.key) },
      },
      ['someone', undefined, path],
    ],
  ] satisfies [string, Parts, unknown[]][]) {
    it(`connects with ${what}`, async () => {
      assert.deepEqual(await ask(parts), expected);
    });
  }

  for (const [what, cluster] of [
    ['another authority', { ...trusted, 'certificate-authority-data': base64(stranger.certificate) }],
    ['no authority', {}],
    ['another name', { ...trusted, 'tls-server-name': 'other.internal' }],
  ] as const) {
    it(`refuses a server whose certificate is of ${what}, and sends it no token`, async () => {
      await assert.rejects(
        ask({ cluster, user: { token: 'secret' } }),
        /no answer from the API server at https:\/\/127/,
      );
    });
  }
});

describe('a kubeconfig file with a mistake', () => {
  for (const [what, parts, message] of [
    ['no address', { cluster: { server: 'api.example.com' } }, /config: cluster c: server: must be an address/],
    [
      'an authority that is no PEM',
      { cluster: { 'certificate-authority-data': 'c2VjcmV0' } },
      /config: cluster c: certificate-authority-data: is not base64 of a PEM/,
    ],
    [
      'an authority file that is not there',
      { cluster: { 'certificate-authority': 'none.pem' } },
      /cluster c: certificate-authority: cannot read .*none.pem/,
    ],
    [
      'a certificate without a key',
      { user: { 'client-certificate': 'client.pem' } },
      /user u: has client-certificate but no client-key/,
    ],
    ['a token that is not text', { user: { token: ['secret'] } }, /config: users\.0\.user\.token must be string/],
    [
      'a removed way to log in',
      { user: { 'auth-provider': { name: 'gcp' } } },
      /config: users\.0\.user\.auth-provider is not supported here/,
    ],
    ['impersonation', { user: { as: 'someone' } }, /config: users\.0\.user\.as is not supported here/],
    [
      'an unknown exec version',
      { user: { exec: { apiVersion: 'client.authentication.k8s.io/v1alpha1', command: 'x' } } },
      /users\.0\.user\.exec\.apiVersion must be/,
    ],
  ] satisfies [string, Parts, RegExp][]) {
    it(`names file and field, and no secret: ${what}`, async () => {
      const kubeconfig = await write(parts);
      await assert.rejects(
        loadKubeConfig({ kubeconfig, env: {} }),
        (error: Error) => message.test(error.message) && !error.message.includes('secret'),
      );
    });
  }

  it('says which line is not YAML, without the line', async () => {
    const kubeconfig = join(folder, 'broken');
    await writeFile(kubeconfig, 'users:\n- name: u\n  user: {token: "secret\n');
    await assert.rejects(
      loadKubeConfig({ kubeconfig, env: {} }),
      (error: Error) => /broken: is not YAML at line \d/.test(error.message) && !error.message.includes('secret'),
    );
  });
});
