// A git server over http on loopback: `git http-backend` behind a small CGI server, set as GitHub is. For tests and the demo.
// Real clones, fetches and pushes; every request is noted. TLS would go where the http server is made.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serveGit } from './git-cgi.ts';
import { openRepository, type Repository, runGit } from './git-repository.ts';

export type { Entry, Repository } from './git-repository.ts';

export interface GitServerOptions {
  /** Where the repositories lie, as <name>.git. Default: a temporary folder that stop() removes. */
  readonly root?: string;
  /** Asked of every request as basic authentication; without it everyone may read and push. */
  readonly credentials?: { readonly username: string; readonly password: string };
  /** github (default): partial clone and any object by id, protocol v2. old: neither, and protocol v0. */
  readonly like?: 'github' | 'old';
  /** Called with each request before it is answered; the answer waits for it. What it throws becomes a 500. */
  readonly onRequest?: (request: GitRequest) => void | Promise<void>;
  /**
   * Called for each ref a push changed, after the pusher was answered, one push after another.
   * What it throws comes out of stop().
   */
  readonly onPush?: (push: ReceivedPush) => void | Promise<void>;
}

export interface ReceivedPush {
  /** The name given to createRepository. */
  readonly repository: string;
  /** Full ref. */
  readonly ref: string;
  /** Object ids; 40 zeros for a ref that was not there before or is gone now. */
  readonly before: string;
  readonly after: string;
}

export interface GitRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  /** Whether an Authorization header came along. */
  readonly authorization: boolean;
  /** The Git-Protocol header. */
  readonly gitProtocol: string | undefined;
  /** 0 until answered. */
  status: number;
  /** Bytes of the answer's body so far. */
  bytes: number;
}

export interface GitServer {
  /** http://127.0.0.1:port, no slash at the end. */
  readonly url: string;
  readonly root: string;
  /** Every request so far, oldest first. */
  readonly requests: readonly GitRequest[];
  /** An empty repository, HEAD at main. The name is a path such as acme/app, without .git. Object ids are SHA-1 unless told. */
  createRepository(name: string, objectFormat?: 'sha1' | 'sha256'): Promise<Repository>;
  /** Ends connections and git processes; waits for onPush. Removes the temporary root. */
  stop(): Promise<void>;
}

const zeroId = '0'.repeat(40);
const writeService = 'git-receive-pack';

/** Starts a git server on a free port of 127.0.0.1. */
export async function startGitServer(options: GitServerOptions = {}): Promise<GitServer> {
  const root = options.root ?? (await mkdtemp(join(tmpdir(), 'kube-git-server-')));
  const requests: GitRequest[] = [];
  const repositories = new Map<string, Repository>();
  const pushes = inOrder();
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const entry = note(requests, request, response);
    await options.onRequest?.(entry);
    if (!isAllowed(request, options)) return refuse(response);
    const user = options.credentials && { user: options.credentials.username };
    const serve = () => serveGit(request, response, { root, old: options.like === 'old', ...user });
    const repository = repositories.get(nameIn(request));
    const isPush = request.method === 'POST' && request.url?.endsWith(`/${writeService}`);
    if (!isPush || !repository) return serve();
    pushes.add(async () => {
      const before = await repository.refs();
      await serve();
      const changes = changesOf(repository.name, before, await repository.refs());
      for (const change of changes) await options.onPush?.(change);
    });
  };
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await listen(server);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    root,
    requests,
    createRepository: async (name, objectFormat = 'sha1') => {
      const path = join(root, `${name}.git`);
      await createBare(path, options.like ?? 'github', objectFormat);
      const repository = openRepository(name, `${url}/${name}.git`, path);
      repositories.set(name, repository);
      return repository;
    },
    stop: async () => {
      await close(server);
      await pushes.settled();
      if (options.root === undefined) await rm(root, { recursive: true, force: true });
    },
  };
}

function note(requests: GitRequest[], request: IncomingMessage, response: ServerResponse): GitRequest {
  const entry: GitRequest = {
    method: request.method ?? '',
    path: request.url ?? '',
    authorization: request.headers.authorization !== undefined,
    gitProtocol: request.headers['git-protocol']?.toString(),
    status: 0,
    bytes: 0,
  };
  requests.push(entry);
  const write = response.write.bind(response) as (chunk: Uint8Array) => boolean;
  response.write = ((chunk: Uint8Array) => {
    entry.status = response.statusCode;
    entry.bytes += chunk.length;
    return write(chunk);
  }) as typeof response.write;
  response.on('close', () => {
    entry.status = response.statusCode;
  });
  return entry;
}

function isAllowed(request: IncomingMessage, { credentials }: GitServerOptions): boolean {
  if (!credentials) return true;
  const wanted = Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64');
  return request.headers.authorization === `Basic ${wanted}`;
}

function refuse(response: ServerResponse): void {
  response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="git"', Connection: 'close' }).end('who are you?\n');
}

/** acme/app of /acme/app.git/info/refs?service=... */
function nameIn(request: IncomingMessage): string {
  return /^\/(.+?)(?:\.git)?\/(?:info\/refs|git-[a-z-]+)/.exec(request.url ?? '')?.[1] ?? '';
}

/** How GitHub is set: objects by id, and filters, but of the tree filters only tree:0. An old server has none of it. */
async function createBare(path: string, like: 'github' | 'old', objectFormat: string): Promise<void> {
  await mkdir(path, { recursive: true });
  await runGit(path, ['init', '--quiet', '--bare', '--initial-branch=main', `--object-format=${objectFormat}`]);
  const modern = String(like === 'github');
  const settings = [
    ['http.receivepack', 'true'],
    ['receive.autogc', 'false'],
    ['receive.denyDeleteCurrent', 'ignore'],
    ['uploadpack.allowFilter', modern],
    ['uploadpack.allowAnySHA1InWant', modern],
    ...(like === 'github' ? [['uploadpackfilter.tree.maxDepth', '0']] : []),
  ];
  for (const [name = '', value = ''] of settings) await runGit(path, ['config', name, value]);
}

function changesOf(
  repository: string,
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): ReceivedPush[] {
  return [...new Set([...before.keys(), ...after.keys()])]
    .map((ref) => ({ repository, ref, before: before.get(ref) ?? zeroId, after: after.get(ref) ?? zeroId }))
    .filter((change) => change.before !== change.after);
}

/** Work done one after another; the first error is kept for settled(). */
function inOrder() {
  const errors: unknown[] = [];
  let last = Promise.resolve();
  return {
    add: (work: () => Promise<void>): void => {
      last = last.then(work).catch((error: unknown) => void errors.push(error));
    },
    settled: async (): Promise<void> => {
      await last;
      if (errors.length > 0) throw errors[0];
    },
  };
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
