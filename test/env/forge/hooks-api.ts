// GitHub's API of a repository's webhooks and of the log of their deliveries. Called by the forge; its hooks are for all its
// repositories, so each repository lists them all, with the deliveries that tell of it.
// Source: docs.github.com, "REST API endpoints for repository webhooks".
import { createHash } from 'node:crypto';
import type { DeliveryRecord, Webhook, Webhooks } from './webhooks.ts';

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Nothing for 304. */
  readonly json?: unknown;
}

export interface ApiQuestion {
  /** From the API's root, such as /repos/acme/app/hooks. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly ifNoneMatch: string | undefined;
  /** Where the API's root is, for links. */
  readonly root: string;
}

const notFound: ApiAnswer = { status: 404, headers: {}, json: { message: 'Not Found', status: '404' } };

/** Undefined where the path is none of these. `pageSize`: the most that one page has, whatever is asked. */
export function answerHooks(question: ApiQuestion, webhooks: Webhooks, pageSize: number): ApiAnswer | undefined {
  const match = /^\/repos\/([^/]+\/[^/]+)\/hooks(?:\/(\d+)(\/deliveries(?:\/(\d+))?)?)?$/.exec(question.path);
  if (match === null) return undefined;
  const [, repository = '', hookId, deliveries, deliveryId] = match;
  if (hookId === undefined) return withEtag(question, page(question, webhooks.hooks.map(hookJson), pageSize));
  if (!webhooks.hooks.some(({ id }) => id === hookId) || deliveries === undefined) return notFound;
  const logged = [...webhooks.deliveries.entries()]
    .filter(([, delivery]) => delivery.hookId === hookId && tellsOf(delivery, repository))
    .map(([index, delivery]) => ({ id: index + 1, delivery }));
  if (deliveryId === undefined) {
    return withEtag(question, page(question, logged.map(attemptJson).reverse(), pageSize));
  }
  const found = logged.find(({ id }) => String(id) === deliveryId);
  return found
    ? { status: 200, headers: {}, json: { ...attemptJson(found), ...detailJson(found.delivery) } }
    : notFound;
}

function tellsOf({ request }: DeliveryRecord, repository: string): boolean {
  const { repository: of } = JSON.parse(request.body) as { repository?: { full_name?: string } };
  return of?.full_name === repository;
}

function hookJson({ id, url, active, events }: Webhook): object {
  const config = { content_type: 'json', insecure_ssl: '0', url };
  return { type: 'Repository', id: Number(id), name: 'web', active, events, config };
}

/** Without an answer GitHub writes 502 and why in words. */
function attemptJson({ id, delivery }: { readonly id: number; readonly delivery: DeliveryRecord }): object {
  const { answer, sentAt, durationMs, redelivery, event } = delivery;
  return {
    ...{ id, guid: delivery.id, delivered_at: new Date(sentAt).toISOString(), redelivery, duration: durationMs / 1000 },
    ...{ status: answer ? 'OK' : 'failed to connect to host', status_code: answer?.status ?? 502, event, action: null },
    ...{ installation_id: null, repository_id: 1, throttled_at: null },
  };
}

function detailJson({ request, answer }: DeliveryRecord): object {
  const response = { headers: answer?.headers ?? null, payload: answer?.body ?? null };
  return { url: '', request: { headers: request.headers, payload: JSON.parse(request.body) }, response };
}

function page({ path, query, root }: ApiQuestion, all: readonly object[], pageSize: number): ApiAnswer {
  const size = Math.min(Number(query.get('per_page') ?? 30), pageSize);
  const start = Number(query.get('cursor')?.replace('v1_', '') ?? 0);
  const next = `<${root}${path}?per_page=${size}&cursor=v1_${start + size}>; rel="next"`;
  return {
    status: 200,
    headers: start + size < all.length ? { link: `${next}, <${root}${path}>; rel="first"` } : {},
    json: all.slice(start, start + size),
  };
}

function withEtag({ ifNoneMatch }: ApiQuestion, answer: ApiAnswer): ApiAnswer {
  const etag = `W/"${createHash('sha256').update(JSON.stringify(answer)).digest('hex')}"`;
  const headers = { ...answer.headers, etag };
  return etag === ifNoneMatch ? { status: 304, headers } : { ...answer, headers };
}
