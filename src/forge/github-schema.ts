// The fields of GitHub's push event that kube-git reads, and no others.
// https://docs.github.com/en/webhooks/webhook-events-and-payloads#push
import * as v from 'valibot';
import { isObjectId, isValidRef } from './ref.ts';

const ObjectId = v.pipe(v.string(), v.check(isObjectId, 'is not an object id of 40 or 64 hex digits'));

/** For what is nice to have: any other type counts as absent. */
const text = v.fallback(v.string(), '');

const Commit = v.object({
  id: ObjectId,
  message: text,
  author: v.fallback(v.object({ name: text }), { name: '' }),
});

const Repository = v.object({
  clone_url: text,
  ssh_url: text,
  git_url: text,
  html_url: text,
  svn_url: text,
  /** Seconds since 1970 in push events, RFC 3339 in all others. */
  pushed_at: v.fallback(v.union([v.number(), v.string()]), ''),
});

export const GitHubPush = v.object({
  ref: v.pipe(v.string(), v.check(isValidRef, 'is not a full ref of at most 1024 characters')),
  before: v.nullish(ObjectId),
  after: ObjectId,
  deleted: v.nullish(v.boolean()),
  /** Null for a deleted ref, and for a tag of something that is not a commit. */
  head_commit: v.nullish(Commit),
  repository: Repository,
});
export type GitHubPush = v.InferOutput<typeof GitHubPush>;
