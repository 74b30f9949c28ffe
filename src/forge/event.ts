// GitHub's push event, which Gitea and Forgejo copied, as kube-git's Push. Called by their adapters, after the signature held.
import * as v from 'valibot';
import type { Push } from '../api/push.ts';
import { formatTime } from '../clock.ts';
import { MalformedDelivery, type Received } from './forge.ts';
import { GitHubPush } from './github-schema.ts';
import { isZeroId } from './ref.ts';

/** What is said to any other event; its name is shown only when it looks like one. */
export function unknownEvent(event: string): Received {
  const name = /^[a-z_]{1,64}$/.test(event) ? event : 'of an unknown kind';
  const message = `kube-git acts on push events, this one is ${name}: it can be deselected in the webhook's settings`;
  return { kind: 'ignored', reason: 'UnknownEvent', message };
}

/** The payload of a push event of the forge with this name. Throws MalformedDelivery where it is none. */
export function parsePush(payload: unknown, forge: string): Received {
  if (isTest(payload)) {
    return {
      kind: 'ignored',
      reason: 'Ping',
      message: 'pong: the secret fits. A test delivery, in which nothing moved',
    };
  }
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
  return { kind: 'push', push: toPush(parsed.output, commit, forge) };
}

/** Gitea's test button sends a push from a commit to itself, of a fake commit or of any name of a ref. No push is one. */
function isTest(payload: unknown): boolean {
  if (typeof payload !== 'object' || payload === null || !('before' in payload && 'after' in payload)) return false;
  if ('deleted' in payload && payload.deleted === true) return false;
  return typeof payload.after === 'string' && payload.before === payload.after;
}

/** Names the field and what is wrong; never what it held. */
function explain(issue: v.BaseIssue<unknown>): string {
  const field = v.getDotPath(issue) ?? 'the payload';
  return issue.type === 'check' ? `${field} ${issue.message}` : `${field} is not what a forge sends`;
}

/** Of an annotated tag `after` is the tag object and the head commit what it points to; a branch is always a commit. */
function commitOf({ ref, after, head_commit }: GitHubPush): string | undefined {
  return ref.startsWith('refs/heads/') ? after : head_commit?.id;
}

function toPush({ ref, before, after, head_commit, repository }: GitHubPush, commit: string, forge: string): Push {
  const { clone_url, ssh_url, git_url, html_url, svn_url, pushed_at } = repository;
  return {
    forge,
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
