// GitHub (github.com and Enterprise Server): its signature, its delivery ids and its push event.
// https://docs.github.com/en/webhooks/webhook-events-and-payloads#delivery-headers
import { createHash } from 'node:crypto';
import * as v from 'valibot';
import type { DeliveryId, Push } from '../api/push.ts';
import { formatTime } from '../clock.ts';
import { type Delivery, type Forge, MalformedDelivery, type Received } from './forge.ts';
import { GitHubPush } from './github-schema.ts';
import { readPayload } from './payload.ts';
import { isZeroId } from './ref.ts';
import { hasValidSignature } from './signature.ts';

export const github: Forge = {
  name: 'github',

  /** Over the raw bytes, form or JSON. X-Hub-Signature, which is SHA-1, is never looked at. */
  verify: ({ headers, body }, secret) =>
    hasValidSignature({ body, header: headers['x-hub-signature-256'], prefix: 'sha256=' }, secret),

  identify,
  parse,
};

function identify({ headers, body }: Delivery): DeliveryId {
  const digest = createHash('sha256').update(body).digest('hex');
  const hookId = headers['x-github-hook-id'];
  return {
    id: asId(headers['x-github-delivery']) ?? digest,
    hookId: asId(hookId),
    digest,
  };
}

/** Headers are not signed: only what can be stored and shown counts. */
function asId(header: string | undefined): string | undefined {
  return header !== undefined && /^[\x21-\x7e]{1,256}$/.test(header) ? header : undefined;
}

function parse(delivery: Delivery): Received {
  const event = delivery.headers['x-github-event'];
  if (event === undefined) throw new MalformedDelivery('the header X-GitHub-Event is missing');
  if (event === 'push') return parsePush(readPayload(delivery));
  if (event === 'ping') return { kind: 'ignored', reason: 'Ping', message: 'pong: the secret fits' };
  const name = /^[a-z_]{1,64}$/.test(event) ? event : 'of an unknown kind';
  const message = `kube-git acts on push events, this one is ${name}: it can be deselected in the webhook's settings`;
  return { kind: 'ignored', reason: 'UnknownEvent', message };
}

function parsePush(payload: unknown): Received {
  const parsed = v.safeParse(GitHubPush, payload);
  if (!parsed.success) throw new MalformedDelivery(explain(parsed.issues[0]));
  const { ref, after, deleted } = parsed.output;
  if (deleted === true || isZeroId(after)) {
    return { kind: 'ignored', reason: 'RefDeleted', message: `${ref} was deleted: there is nothing to run` };
  }
  const commit = commitOf(parsed.output);
  if (commit === undefined) {
    return { kind: 'ignored', reason: 'NotACommit', message: `${ref} is not a commit: there is nothing to run` };
  }
  return { kind: 'push', push: toPush(parsed.output, commit) };
}

/** Names the field and what is wrong; never what it held. */
function explain(issue: v.BaseIssue<unknown>): string {
  const field = v.getDotPath(issue) ?? 'the payload';
  return issue.type === 'check' ? `${field} ${issue.message}` : `${field} is not what GitHub sends`;
}

/** Of an annotated tag `after` is the tag object and the head commit what it points to; a branch is always a commit. */
function commitOf({ ref, after, head_commit }: GitHubPush): string | undefined {
  return ref.startsWith('refs/heads/') ? after : head_commit?.id;
}

function toPush({ ref, before, after, head_commit, repository }: GitHubPush, commit: string): Push {
  const { clone_url, ssh_url, git_url, html_url, svn_url, pushed_at } = repository;
  return {
    forge: github.name,
    cloneUrls: [clone_url, ssh_url, git_url, html_url, svn_url].filter((url) => url !== ''),
    ref,
    before: before ?? undefined,
    after,
    commit,
    author: head_commit?.author.name ?? '',
    message: head_commit?.message.split(/\r?\n/, 1)[0] ?? '',
    pushTime: toTime(pushed_at),
  };
}

/** Undefined for what is no time between 1970 and 9999, which RFC 3339 could not hold. */
function toTime(pushedAt: number | string): string | undefined {
  const ms = typeof pushedAt === 'number' ? pushedAt * 1000 : parseTime(pushedAt);
  return ms >= 0 && ms < Date.UTC(10_000, 0, 1) ? formatTime(ms) : undefined;
}

/** Date.parse takes much more than RFC 3339, some of it in local time. */
function parseTime(text: string): number {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
}
