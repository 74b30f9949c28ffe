import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Blob, Image } from './images.ts';
import { startRegistry } from './registry.ts';

function blob(mediaType: string, content: string): Blob {
  return { mediaType, digest: `sha256:${content}`, bytes: Buffer.from(content) };
}

const image: Image = { manifest: blob('manifest/type', 'aaaa'), blobs: [blob('layer/type', 'bbbbbb')] };
const images = new Map([['library/busybox', image]]);

describe('the registry', () => {
  const cases: readonly [string, string, number, string][] = [
    ['GET', '/v2/library/busybox/manifests/latest', 200, 'aaaa'],
    ['GET', '/v2/library/busybox/manifests/latest?ns=docker.io', 200, 'aaaa'],
    ['GET', '/v2/library/busybox/manifests/sha256:aaaa', 200, 'aaaa'],
    ['HEAD', '/v2/library/busybox/manifests/latest', 200, ''],
    ['GET', '/v2/library/busybox/blobs/sha256:bbbbbb', 200, 'bbbbbb'],
    ['GET', '/v2/library/busybox/manifests/sha256:other', 404, 'this cluster has no image library/busybox'],
    ['GET', '/v2/library/busybox/blobs/sha256:other', 404, 'this cluster has no image library/busybox'],
    ['GET', '/v2/library/nginx/manifests/latest', 404, 'this cluster has no image library/nginx'],
    ['GET', '/', 404, 'this cluster has no image'],
  ];
  for (const [method, path, status, body] of cases) {
    it(`${method} ${path}: ${status}`, async (t) => {
      const registry = await startRegistry('127.0.0.1', images);
      t.after(() => registry.stop());
      const response = await fetch(`${registry.url}${path}`, { method });
      assert.equal(response.status, status);
      assert.ok((await response.text()).includes(body));
    });
  }

  it('names type, size and digest of a manifest, also without its content', async (t) => {
    const registry = await startRegistry('127.0.0.1', images);
    t.after(() => registry.stop());
    const { headers } = await fetch(`${registry.url}/v2/library/busybox/manifests/latest`, { method: 'HEAD' });
    assert.equal(headers.get('content-type'), 'manifest/type');
    assert.equal(headers.get('content-length'), '4');
    assert.equal(headers.get('docker-content-digest'), 'sha256:aaaa');
  });
});
