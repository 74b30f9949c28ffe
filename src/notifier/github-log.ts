// GitHub's log of deliveries: kept for three days, read by repository and webhook. Gitea takes the same requests for statuses,
// but has no such log (its API answers 404). Opened by github.ts.
// https://docs.github.com/en/rest/repos/webhooks#list-deliveries-for-a-repository-webhook
import * as v from 'valibot';
import { classify, type Sink } from '../answer.ts';
import { WaitingError } from '../errors.ts';
import type { HttpAnswer, HttpGet } from '../http.ts';
import type { DeliveryLog, LoggedAttempt, LogOf } from './delivery-log.ts';
import { type CommonConfig, checkAllowed } from './entry.ts';
import { basicCredentials, checkHost } from './github-api.ts';

export interface GitHubEntry {
  /** Its full name, such as github.acme. */
  readonly entry: string;
  readonly config: CommonConfig & { readonly api: string; readonly token: string };
  readonly secrets: readonly string[];
}

const mebibyte = 1024 * 1024;
/** A page of 100 is about 50 KB. */
const maxPageBytes = 4 * mebibyte;
/** "Payloads are capped at 25 MB", and the detail has it parsed and written anew. */
const maxDeliveryBytes = 40 * mebibyte;
/** 5,000 deliveries at each reading; what is beyond is left to the comparison of refs. */
const maxPages = 50;

/** First pages of as many repositories, of the usual size: 12 MB at the most. */
const mostRemembered = 200;
const maxRemembered = 64 * 1024;

const Hooks = v.array(
  v.object({
    id: v.number(),
    active: v.boolean(),
    events: v.array(v.string()),
    config: v.object({ url: v.optional(v.string(), '') }),
  }),
);
const Attempts = v.array(
  v.object({
    id: v.union([v.number(), v.string()]),
    guid: v.string(),
    delivered_at: v.string(),
    event: v.string(),
    status_code: v.nullish(v.number(), 0),
  }),
);
const Detail = v.object({
  request: v.object({ headers: v.nullish(v.record(v.string(), v.unknown()), {}), payload: v.unknown() }),
});

/** Whether the API is one with such a log: GitHub's, on any host, and not Gitea's. */
export function keepsLog(api: string): boolean {
  return !/\/api\/v1\/*$/.test(new URL(api).pathname);
}

export function githubLog(of: GitHubEntry, http: HttpGet): DeliveryLog {
  const ask = asker(of, http);
  return {
    check: (log) => void place(of, log),
    hooks: async (log, path, signal) => {
      const { json } = await ask(`${place(of, log)}/hooks?per_page=100`, Hooks, signal);
      return json.filter((hook) => sendsTo(hook, path)).map(({ id }) => String(id));
    },
    attempts: async (log, { id, sinceMs }, signal) => {
      const found: LoggedAttempt[] = [];
      const first = `${place(of, log)}/hooks/${id}/deliveries?per_page=100`;
      let url: string | undefined = first;
      for (let page = 0; url !== undefined && page < maxPages; page++) {
        const answer: Answered<typeof Attempts> = await ask(url, Attempts, signal);
        const attempts = answer.json.map(attemptOf);
        found.push(...attempts.filter(({ deliveredMs }) => deliveredMs >= sinceMs));
        const cursor = attempts.every(({ deliveredMs }) => deliveredMs >= sinceMs) ? cursorOf(answer.link) : undefined;
        url = cursor && `${first}&cursor=${encodeURIComponent(cursor)}`;
      }
      return found;
    },
    read: async (log, { hookId, id }, signal) => {
      const path = `${place(of, log)}/hooks/${hookId}/deliveries/${id}`;
      const { headers, payload } = (await ask(path, Detail, signal, maxDeliveryBytes)).json.request;
      return { headers: lowerCase(headers ?? {}), payload };
    },
  };
}

interface Answered<T extends v.GenericSchema> {
  readonly json: v.InferOutput<T>;
  readonly link: string | null;
}

/** The repository's place in the API. Throws where the entry is not for it. */
function place({ entry, config }: GitHubEntry, of: LogOf): string {
  checkAllowed(entry, config, of);
  const { owner, name } = checkHost(entry, config, of);
  return `${config.api.replace(/\/+$/, '')}/${['repos', owner, name].map(encodeURIComponent).join('/')}`;
}

function asker({ entry, config, secrets }: GitHubEntry, http: HttpGet) {
  const sink: Sink = { entry, host: new URL(config.api).host, secrets, advise: (status) => adviceOf(entry, status) };
  const headers = {
    accept: 'application/vnd.github+json',
    authorization: `Basic ${basicCredentials(config.token)}`,
  };
  const remembered = new Map<string, HttpAnswer>();
  return async <T extends v.GenericSchema>(
    url: string,
    schema: T,
    signal: AbortSignal,
    maxBytes = maxPageBytes,
  ): Promise<Answered<T>> => {
    const before = remembered.get(url);
    const etag = before?.headers.get('etag');
    const fresh = await http({
      url,
      headers: { ...headers, ...(etag && { 'if-none-match': etag }) },
      maxBytes,
      signal,
    });
    const answer = fresh.status === 304 && before ? before : fresh;
    classify(answer, sink);
    remember(remembered, url, answer);
    const parsed = v.safeParse(schema, parseJson(answer.text));
    if (parsed.success) return { json: parsed.output, link: answer.headers.get('link') };
    const message = `${sink.host} (notification entry ${entry}) does not answer as GitHub's API does when asked for deliveries`;
    throw new WaitingError('SinkUnavailable', message);
  };
}

/** What has not changed is not counted against the rate limit: https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api */
function remember(answers: Map<string, HttpAnswer>, url: string, answer: HttpAnswer): void {
  answers.delete(url);
  if (!answer.headers.has('etag') || answer.text.length > maxRemembered) return;
  answers.set(url, answer);
  const [oldest] = answers.keys();
  if (answers.size > mostRemembered && oldest !== undefined) answers.delete(oldest);
}

function adviceOf(entry: string, status: number): string | undefined {
  if (status < 400) return 'If the repository was renamed, write its new URL in spec.repository';
  if (status === 401) return `Write a valid token in ${entry}.token of the notification file`;
  if (status === 403 || status === 404) {
    return `Let the token of ${entry} read the webhooks of this repository (fine-grained tokens: Webhooks, read; classic ones: read:repo_hook, whose owner administers the repository). Without that lost pushes are found by comparing refs alone`;
  }
  return undefined;
}

function sendsTo({ active, events, config }: v.InferOutput<typeof Hooks>[number], path: string): boolean {
  if (!active || !events.some((event) => event === 'push' || event === '*')) return false;
  return URL.canParse(config.url) && new URL(config.url).pathname.endsWith(path);
}

function attemptOf(attempt: v.InferOutput<typeof Attempts>[number]): LoggedAttempt {
  const { id, guid, delivered_at, event, status_code } = attempt;
  const deliveredMs = Date.parse(delivered_at);
  return {
    id: String(id),
    guid,
    event,
    deliveredMs: Number.isNaN(deliveredMs) ? 0 : deliveredMs,
    statusCode: status_code ?? 0,
  };
}

/** Of the next page's link (RFC 8288). Only that is taken from it: the token goes nowhere but to the entry's api. */
function cursorOf(link: string | null): string | undefined {
  const target = /<([^<>]{1,2000})>;\s*rel="next"/.exec((link ?? '').slice(0, 16_384))?.[1] ?? '';
  return URL.parse(target)?.searchParams.get('cursor') ?? undefined;
}

function lowerCase(headers: Readonly<Record<string, unknown>>): Record<string, string> {
  const texts = Object.entries(headers).filter((pair): pair is [string, string] => typeof pair[1] === 'string');
  return Object.fromEntries(texts.map(([name, value]) => [name.toLowerCase(), value]));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
