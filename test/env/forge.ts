// A small forge on loopback, as much of GitHub as kube-git meets: git over http with pushes, signed push webhooks and
// the log of their deliveries, the commit status API, and beside it a Slack sink. For tests of the controller and for the demo; everything is kept to look at.
//
//   const forge = await startForge({ secret: 'test-secret', webhookUrl: 'http://127.0.0.1:8080/github' });
//   const repository = await forge.createRepository('acme/app');   // git push to repository.url sends a webhook
//   forge.on('status', (status) => …);                             // or look at forge.statuses
import { EventEmitter } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type GitFetch, passToGit } from './forge/git-front.ts';
import { answerHooks } from './forge/hooks-api.ts';
import { pushPayload } from './forge/payload.ts';
import { type CommitStatus, CommitStatuses } from './forge/statuses.ts';
import { type DeliveryRecord, Webhooks } from './forge/webhooks.ts';
import { type ReceivedPush, type Repository, startGitServer } from './git-server.ts';

export interface ForgeOptions {
  /** The address to listen on, default 127.0.0.1. The port is free and random. */
  readonly address?: string;
  /** The webhook secret. */
  readonly secret: string;
  /** A webhook that is there from the start; addWebhook adds one later. */
  readonly webhookUrl?: string;
  /** When set, the status API answers 401 to any other token, whether it comes as Bearer, token or user name. */
  readonly token?: string;
  /** The most that a page of the log of deliveries has. Default 100, as on GitHub. */
  readonly logPageSize?: number;
  /** When set, git asks everybody for them. */
  readonly gitCredentials?: { readonly username: string; readonly password: string };
  /** Where the repositories lie. Default: a temporary folder, gone after stop(). */
  readonly root?: string;
  /** Milliseconds since 1970, for pushed_at and the records. */
  readonly now?: () => number;
}

/** One message to the Slack sink. */
export interface SlackMessage {
  /** What stands after /slack/ in the webhook's URL. */
  readonly channel: string;
  /** The JSON that was posted. */
  readonly body: unknown;
  readonly receivedAt: number;
}

export interface ForgeEvents {
  /** A ref was changed by a push. Comes before its deliveries are sent. */
  readonly push: [ReceivedPush];
  /** A delivery was answered, or failed. */
  readonly delivery: [DeliveryRecord];
  /** Objects were fetched by git. */
  readonly fetch: [GitFetch];
  readonly status: [CommitStatus];
  readonly message: [SlackMessage];
}

export interface Forge {
  /** http://address:port, no slash at the end. GET shows what is kept: /deliveries, /statuses, /slack. */
  readonly url: string;
  /** For `api` in the notification file: statuses are posted to {apiUrl}/repos/{owner}/{repo}/statuses/{sha}. */
  readonly apiUrl: string;
  /** For `webhookURL` in the notification file. */
  slackUrl(channel: string): string;
  /** An empty repository; the name is owner/name. Its helpers write to it without a push: see announce. */
  createRepository(name: string): Promise<Repository>;
  /** Adds a webhook. It gets a ping at once, as on GitHub; the ping's outcome is returned. */
  addWebhook(url: string): Promise<DeliveryRecord>;
  /** Tells the webhooks of a change that was not made by a push. Resolves when all have answered or failed. */
  announce(change: ReceivedPush): Promise<void>;
  /** Sends a delivery again: same id, same bytes. */
  redeliver(id: string): Promise<DeliveryRecord>;
  /** All that was delivered or tried, statuses that were accepted, messages: oldest first. */
  readonly deliveries: readonly DeliveryRecord[];
  readonly statuses: readonly CommitStatus[];
  readonly messages: readonly SlackMessage[];
  /** Calls `listener` from now on; the function it returns ends that. */
  on<K extends keyof ForgeEvents>(event: K, listener: (...args: ForgeEvents[K]) => void): () => void;
  /** Cuts deliveries and connections off and waits until nothing runs any more. */
  stop(): Promise<void>;
}

/** Starts a forge. The caller has to stop it. */
export async function startForge(options: ForgeOptions): Promise<Forge> {
  const state = newState(options);
  const { webhooks, events, stopping } = state;
  const git = await startGitServer({
    ...(options.root !== undefined && { root: options.root }),
    ...(options.gitCredentials && { credentials: options.gitCredentials }),
    onPush: (push) => {
      events.emit('push', push);
      state.sending.push(announce(push)); // GitHub tells after the push: the next push need not wait for answers
    },
  });
  const server = createServer((request, response) => void serve(request, response, { ...state, gitUrl: git.url }));
  await listen(server, options.address ?? '127.0.0.1');
  const { address, port } = server.address() as AddressInfo;
  const url = `http://${address}:${port}`;

  async function announce(push: ReceivedPush): Promise<void> {
    const folder = `${git.root}/${push.repository}.git`;
    const payload = await pushPayload({ ...push, folder }, url, state.now());
    await webhooks.tellAll('push', payload, stopping.signal);
  }

  if (options.webhookUrl) webhooks.add({ url: options.webhookUrl, secret: options.secret });
  return {
    url,
    apiUrl: `${url}/api/v3`,
    slackUrl: (channel) => `${url}/slack/${channel}`,
    createRepository: async (name) => ({ ...(await git.createRepository(name)), url: `${url}/${name}.git` }),
    addWebhook: (target) => {
      const hook = webhooks.add({ url: target, secret: options.secret });
      const ping = { zen: 'Keep it logically awesome.', hook_id: Number(hook.id), hook: { type: 'Repository' } };
      return webhooks.tell(hook, 'ping', ping, stopping.signal);
    },
    announce,
    redeliver: (id) => webhooks.redeliver(id, stopping.signal),
    deliveries: webhooks.deliveries,
    statuses: state.statuses.all,
    messages: state.messages,
    on: (event, listener) => {
      // EventEmitter cannot relate an event's name to its arguments when both are type parameters.
      const plain = listener as (...args: unknown[]) => void;
      events.on(event, plain);
      return () => void events.off(event, plain);
    },
    stop: async () => {
      stopping.abort(new Error('the forge was stopped'));
      server.close();
      server.closeAllConnections();
      await git.stop();
      await Promise.all(state.sending);
    },
  };
}

interface State {
  readonly webhooks: Webhooks;
  readonly statuses: CommitStatuses;
  readonly messages: SlackMessage[];
  readonly events: EventEmitter;
  readonly stopping: AbortController;
  readonly sending: Promise<void>[];
  readonly token: string | undefined;
  readonly logPageSize: number;
  readonly now: () => number;
}

function newState({ token, logPageSize = 100, now = Date.now }: ForgeOptions): State {
  const events = new EventEmitter();
  return {
    webhooks: new Webhooks({ now, onDelivery: (delivery) => events.emit('delivery', delivery) }),
    statuses: new CommitStatuses({ now, onStatus: (status) => events.emit('status', status) }),
    messages: [],
    events,
    stopping: new AbortController(),
    sending: [],
    token,
    logPageSize,
    now,
  };
}

type Site = State & { readonly gitUrl: string };

/** Which part of the forge a request is for. GHES has its API under /api/v3, GitHub.com on a host of its own. */
async function serve(request: IncomingMessage, response: ServerResponse, site: Site): Promise<void> {
  const path = new URL(request.url ?? '/', 'http://forge').pathname;
  const status = /^(?:\/api\/v3)?\/repos\/([^/]+\/[^/]+)\/(?:statuses|commits)\/([0-9a-f]+)(?:\/statuses)?$/.exec(path);
  if (status) return serveStatuses(request, response, { site, repository: status[1] ?? '', sha: status[2] ?? '' });
  if (path.includes('/repos/')) return serveHooks(request, response, site);
  if (path.startsWith('/slack/') && request.method === 'POST') return takeMessage(request, response, site);
  if (path === '/slack') return sendJson(response, 200, site.messages);
  if (path === '/statuses') return sendJson(response, 200, site.statuses.all);
  if (path === '/deliveries') return sendJson(response, 200, site.webhooks.deliveries);
  const onFetch = (fetch: GitFetch) => site.events.emit('fetch', fetch);
  return passToGit(request, response, { target: site.gitUrl, onFetch });
}

async function serveStatuses(
  request: IncomingMessage,
  response: ServerResponse,
  { site, repository, sha }: { readonly site: Site; readonly repository: string; readonly sha: string },
): Promise<void> {
  if (request.method === 'GET') return sendJson(response, 200, site.statuses.list(repository, sha));
  if (request.method !== 'POST') return sendJson(response, 404, { message: 'Not Found' });
  if (site.token !== undefined && tokenIn(request) !== site.token)
    return sendJson(response, 401, { message: 'Bad credentials', status: '401' });
  const body = await readJson(request);
  if (body === undefined) return sendJson(response, 400, { message: 'Problems parsing JSON', status: '400' });
  const answer = site.statuses.create(repository, sha, body);
  sendJson(response, answer.status, answer.json);
}

async function serveHooks(request: IncomingMessage, response: ServerResponse, site: Site): Promise<void> {
  const { webhooks, token, logPageSize } = site;
  if (token !== undefined && tokenIn(request) !== token) {
    return sendJson(response, 401, { message: 'Bad credentials', status: '401' });
  }
  const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://forge');
  const path = pathname.replace(/^\/api\/v3/, '');
  const root = `http://${request.headers.host}${pathname.slice(0, -path.length)}`;
  const question = { path, query, ifNoneMatch: request.headers['if-none-match'], root };
  const answer = answerHooks(question, webhooks, logPageSize);
  if (answer?.status === 304) return void response.writeHead(304, answer.headers).end();
  for (const [name, value] of Object.entries(answer?.headers ?? {})) response.setHeader(name, value);
  sendJson(response, answer?.status ?? 404, answer?.json ?? { message: 'Not Found', status: '404' });
}

/** GitHub takes a token as Bearer, as token, and as the user name of basic authentication. */
function tokenIn(request: IncomingMessage): string | undefined {
  const [scheme = '', credentials = ''] = request.headers.authorization?.split(' ') ?? [];
  if (scheme.toLowerCase() !== 'basic') return credentials;
  return Buffer.from(credentials, 'base64').toString('utf8').split(':')[0];
}

/** Slack's incoming webhooks answer in plain text: docs.slack.dev, "Sending messages using incoming webhooks". */
async function takeMessage(request: IncomingMessage, response: ServerResponse, site: Site): Promise<void> {
  const body = await readJson(request);
  if (typeof body !== 'object' || body === null) return void response.writeHead(400).end('invalid_payload');
  const channel = decodeURIComponent((request.url ?? '').slice('/slack/'.length));
  const message = { channel, body, receivedAt: site.now() };
  site.messages.push(message);
  response.writeHead(200, { 'Content-Type': 'text/html' }).end('ok');
  site.events.emit('message', message);
}

/** The request's body; undefined when it is not JSON or the client left. */
async function readJson(request: IncomingMessage): Promise<unknown> {
  try {
    return JSON.parse(Buffer.concat(await request.toArray()).toString('utf8'));
  } catch {
    return undefined;
  }
}

function sendJson(response: ServerResponse, status: number, json: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8' }).end(JSON.stringify(json, null, 2));
}

function listen(server: ReturnType<typeof createServer>, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, address, resolve);
  });
}
