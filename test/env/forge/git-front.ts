// The forge's own door to its git server: passes requests on and says what was fetched. Called by the forge.
// It gives git, the API and the Slack sink one address, as a forge has, and so sees what a client asked for.
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { gunzipSync } from 'node:zlib';

/** One fetch of objects that was answered to its end (git's upload-pack, protocol v2). */
export interface GitFetch {
  /** owner/name */
  readonly repository: string;
  /** The object ids the client asked for: commits, or with partial clones also trees and blobs. */
  readonly wants: readonly string[];
  /** The partial clone filter, such as blob:none; undefined when everything was asked for. */
  readonly filter: string | undefined;
  /** How many commits of the history: only asked with commits. */
  readonly depth: number | undefined;
  readonly userAgent: string;
}

const keptBytes = 1024 * 1024; // of a request's body, to read its wants: a want takes 50 bytes

/** Passes one request to the git server at `target`. Calls `onFetch` once the objects were sent. Never rejects. */
export async function passToGit(
  request: IncomingMessage,
  response: ServerResponse,
  options: { readonly target: string; readonly onFetch: (fetch: GitFetch) => void },
): Promise<void> {
  const { method, headers } = request;
  const body: Buffer[] = [];
  let size = 0;
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= keptBytes) body.push(chunk);
  });
  const onward = httpRequest(new URL(request.url ?? '/', options.target), { method, headers });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    onward.on('response', resolve).on('error', reject);
  });
  try {
    const [answer] = await Promise.all([answered, pipeline(request, onward)]);
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    await pipeline(answer, response);
    const fetch = answer.statusCode === 200 ? fetchIn(request, Buffer.concat(body)) : undefined;
    if (fetch) options.onFetch(fetch);
  } catch {
    onward.destroy();
    if (!response.headersSent) response.writeHead(502);
    response.end();
  }
}

/** What a request to upload-pack asks for; undefined when it asks for no objects (it only lists refs). */
function fetchIn(request: IncomingMessage, body: Buffer): GitFetch | undefined {
  const repository = /^\/(.+?)(?:\.git)?\/git-upload-pack$/.exec(request.url ?? '')?.[1];
  if (request.method !== 'POST' || repository === undefined) return undefined;
  const lines = packetLines(request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body);
  const wants = [...new Set(lines.flatMap((line) => /^want ([0-9a-f]{40,64})/.exec(line)?.[1] ?? []))];
  if (wants.length === 0) return undefined;
  const filter = lines.find((line) => line.startsWith('filter '))?.slice('filter '.length);
  const depth = lines.find((line) => line.startsWith('deepen '))?.slice('deepen '.length);
  return {
    repository,
    wants,
    filter,
    depth: depth === undefined ? undefined : Number(depth),
    userAgent: request.headers['user-agent'] ?? '',
  };
}

/** git's pkt-line: four hex digits with the length, themselves included; below 4 they are a marker (gitprotocol-common). */
function packetLines(body: Buffer): string[] {
  const lines: string[] = [];
  for (let at = 0; at + 4 <= body.length; ) {
    const length = Number.parseInt(body.toString('latin1', at, at + 4), 16);
    if (Number.isNaN(length)) break;
    if (length >= 4) lines.push(body.toString('latin1', at + 4, at + length).trimEnd());
    at += Math.max(length, 4);
  }
  return lines;
}
