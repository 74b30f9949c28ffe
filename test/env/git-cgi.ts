// One http request handed to `git http-backend` by CGI (RFC 3875), streamed both ways. Called by test/env/git-server.ts.
// Bodies may be gzipped (http-backend unpacks them) or chunked (it then reads to the end of the stream).
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { gitEnvironment } from './git-repository.ts';

export interface Cgi {
  /** The folder the repositories lie in. */
  readonly root: string;
  /** The client's wish for protocol v2 is not passed on. */
  readonly old: boolean;
  /** Who logged in. */
  readonly user?: string;
}

const headersLimitBytes = 64 * 1024;

/** Resolves once the answer has ended and the process is gone. Never rejects: a failure is a 500 or a cut connection. */
export async function serveGit(request: IncomingMessage, response: ServerResponse, cgi: Cgi): Promise<void> {
  const child = spawn('git', ['http-backend'], { env: environmentOf(request, cgi) });
  const ended = new Promise<void>((resolve) => {
    child.on('error', () => resolve());
    child.on('close', () => resolve());
  });
  response.on('close', () => child.kill()); // the client left, or all is said
  child.stderr.resume();
  const sent = pipeline(request, child.stdin).catch(() => {}); // an early exit breaks the pipe
  try {
    await answer(child, response);
  } catch {
    if (response.headersSent) response.destroy();
    else response.writeHead(500).end('git http-backend failed\n');
  }
  request.resume();
  await Promise.all([sent, ended]);
}

function environmentOf(request: IncomingMessage, cgi: Cgi): Record<string, string> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const { headers } = request;
  const optional = {
    CONTENT_TYPE: headers['content-type'],
    CONTENT_LENGTH: headers['content-length'],
    HTTP_CONTENT_ENCODING: headers['content-encoding'],
    GIT_PROTOCOL: cgi.old ? undefined : headers['git-protocol']?.toString(),
    REMOTE_USER: cgi.user,
  };
  const present = Object.entries(optional).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return gitEnvironment({
    GIT_PROJECT_ROOT: cgi.root,
    GIT_HTTP_EXPORT_ALL: '1',
    REQUEST_METHOD: request.method ?? 'GET',
    PATH_INFO: withSuffix(decodeURIComponent(url.pathname)),
    QUERY_STRING: url.search.slice(1),
    REMOTE_ADDR: '127.0.0.1',
    ...Object.fromEntries(present),
  });
}

/** Forges serve acme/app as well as acme/app.git. */
function withSuffix(path: string): string {
  return path.replace(/(?:\.git)?(\/(?:info\/refs|git-[a-z-]+|HEAD|objects\/.*))$/, '.git$1');
}

/** Reads the CGI headers, then lets the rest through. */
async function answer(child: ChildProcessWithoutNullStreams, response: ServerResponse): Promise<void> {
  let head = Buffer.alloc(0);
  for await (const chunk of child.stdout) {
    if (response.headersSent) {
      await write(response, chunk);
      continue;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0 && head.length > headersLimitBytes) throw new Error('no end of the headers');
    if (end < 0) continue;
    sendHead(response, head.subarray(0, end).toString('latin1'));
    if (head.length > end + 4) await write(response, head.subarray(end + 4));
  }
  if (!response.headersSent) throw new Error('no headers');
  response.end();
}

function sendHead(response: ServerResponse, head: string): void {
  let status = 200;
  for (const line of head.split('\r\n')) {
    const name = line.slice(0, line.indexOf(':'));
    const value = line.slice(line.indexOf(':') + 1).trim();
    if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10);
    else response.setHeader(name, value);
  }
  response.writeHead(status);
  response.flushHeaders();
}

async function write(response: ServerResponse, chunk: Uint8Array): Promise<void> {
  if (response.destroyed) throw new Error('the client left');
  if (response.write(chunk)) return;
  await new Promise<void>((resolve) => {
    const go = () => {
      response.off('drain', go).off('close', go);
      resolve();
    };
    response.on('drain', go).on('close', go);
  });
}
