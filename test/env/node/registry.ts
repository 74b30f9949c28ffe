// A read-only image registry for containerd, in place of docker.io. Images could be loaded into containerd instead, but
// Kubernetes asks a registry each time for `:latest` and for names without a tag (imagePullPolicy Always), and most
// short examples use such names. Speaks the pull half of the OCI distribution specification.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Blob, Image } from './images.ts';

export interface Registry {
  readonly url: string;
  stop(): Promise<void>;
}

/** Serves the images on a free port of `address`. Any tag names the one image there is. */
export async function startRegistry(address: string, images: ReadonlyMap<string, Image>): Promise<Registry> {
  const server = createServer((request, response) => answer(request, response, images));
  server.listen(0, address);
  await once(server, 'listening');
  const stop = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return { url: `http://${address}:${(server.address() as AddressInfo).port}`, stop };
}

const route = /^\/v2\/(?<name>.+)\/(?<kind>manifests|blobs)\/(?<reference>[^/]+)$/;

function answer(request: IncomingMessage, response: ServerResponse, images: ReadonlyMap<string, Image>): void {
  const { pathname } = new URL(request.url ?? '/', 'http://registry');
  const { name = '', kind, reference = '' } = route.exec(pathname)?.groups ?? {};
  const image = images.get(name);
  const found = kind === 'manifests' ? manifestOf(image, reference) : blobOf(image, reference);
  if (found === undefined) refuse(response, name);
  else give(response, found, request.method === 'HEAD');
}

function give(response: ServerResponse, blob: Blob, headOnly: boolean): void {
  response.writeHead(200, {
    'content-type': blob.mediaType,
    'content-length': blob.bytes.length,
    'docker-content-digest': blob.digest,
  });
  response.end(headOnly ? undefined : blob.bytes);
}

function manifestOf(image: Image | undefined, reference: string): Blob | undefined {
  if (reference.startsWith('sha256:') && reference !== image?.manifest.digest) return undefined;
  return image?.manifest;
}

function blobOf(image: Image | undefined, digest: string): Blob | undefined {
  return image?.blobs.find((blob) => blob.digest === digest);
}

function refuse(response: ServerResponse, name: string): void {
  const error = { code: 'NAME_UNKNOWN', message: `this cluster has no image ${name}` };
  response.writeHead(404, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ errors: [error] }));
}
