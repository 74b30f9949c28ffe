// The body of a push webhook, as GitHub sends it, made from what a bare repository holds after the push.
// Called by the forge; knows nothing of webhooks, signatures or http.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** One ref that a push changed. Object ids are full; zeros where there was or is none. */
export interface RefUpdate {
  /** owner/name */
  readonly repository: string;
  /** The bare repository's folder. */
  readonly folder: string;
  readonly ref: string;
  readonly before: string;
  readonly after: string;
}

/** A commit as it stands in the payload. */
export interface PayloadCommit {
  readonly id: string;
  readonly tree_id: string;
  readonly distinct: boolean;
  readonly message: string;
  readonly timestamp: string;
  readonly url: string;
  readonly author: { readonly name: string; readonly email: string };
  readonly committer: { readonly name: string; readonly email: string };
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly modified: readonly string[];
}

/** The payload, by the fields that are more than decoration. */
export interface PushPayload {
  readonly ref: string;
  readonly before: string;
  readonly after: string;
  readonly created: boolean;
  readonly deleted: boolean;
  readonly forced: boolean;
  readonly head_commit: PayloadCommit | null;
  readonly commits: readonly PayloadCommit[];
  readonly repository: Readonly<Record<string, unknown>>;
}

/** GitHub lists at most 2048 commits; a local forge need not read so many. */
const listedCommits = 20;

/**
 * The payload of one changed ref. For an annotated tag `after` is the tag object and head_commit the commit; a tag on
 * anything but a commit, and a deleted ref, have no head commit. `url` is the forge's address, `now` is in milliseconds.
 */
export async function pushPayload(update: RefUpdate, url: string, now: number): Promise<PushPayload> {
  const { ref, before, after, repository, folder } = update;
  const git = gitIn(folder);
  const commit = await git('rev-parse', '--verify', '--quiet', `${after}^{commit}`);
  const html = `${url}/${repository}`;
  const ids = commit && ref.startsWith('refs/heads/') ? await newCommits(git, update) : [];
  const commits = await Promise.all(ids.map((id) => payloadCommit(git, id, html)));
  return {
    ref,
    before,
    after,
    created: isZero(before),
    deleted: isZero(after),
    forced: await isForced(git, update),
    ...{ base_ref: null, compare: `${html}/compare/${before.slice(0, 12)}...${after.slice(0, 12)}` },
    commits,
    head_commit: commit ? await payloadCommit(git, commit, html) : null,
    repository: payloadRepository(repository, url, now),
    ...payloadPeople(repository, url),
  };
}

/** Whether an object id is git's "none": zeros, 40 of them or 64. */
export function isZero(id: string): boolean {
  return /^0+$/.test(id);
}

type Git = (...args: string[]) => Promise<string>;

/** Runs git in a bare repository; '' when it refuses, as it does for an object that is not there. */
function gitIn(folder: string): Git {
  return async (...args) => {
    const { stdout } = await run('git', [`--git-dir=${folder}`, ...args]).catch(() => ({ stdout: '' }));
    return stdout.trimEnd();
  };
}

/** The commits the push brought, oldest first: since `before`, or for a new branch those no other branch has. */
async function newCommits(git: Git, { ref, before, after }: RefUpdate): Promise<string[]> {
  const known = isZero(before) ? [`--exclude=${ref}`, '--glob=refs/heads'] : [before];
  const text = await git('rev-list', '--reverse', `--max-count=${listedCommits}`, after, '--not', ...known);
  return text.split('\n').filter((line) => line !== '');
}

async function isForced(git: Git, { before, after }: RefUpdate): Promise<boolean> {
  if (isZero(before) || isZero(after)) return false;
  return (await git('rev-list', '--max-count=1', before, '--not', after)) !== '';
}

async function payloadCommit(git: Git, id: string, html: string): Promise<PayloadCommit> {
  const shown = await git('show', '--no-patch', '--format=%T%x00%cI%x00%an%x00%ae%x00%cn%x00%ce%x00%B', id);
  const [tree = '', time = '', author = '', authorMail = '', committer = '', committerMail = '', message = ''] =
    shown.split('\0');
  const changes = await git('diff-tree', '--no-commit-id', '--name-status', '--no-renames', '-r', '--root', '-z', id);
  return {
    id,
    tree_id: tree,
    distinct: true,
    message: message.trimEnd(),
    timestamp: time,
    url: `${html}/commit/${id}`,
    author: { name: author, email: authorMail },
    committer: { name: committer, email: committerMail },
    added: pathsWith('A', changes),
    removed: pathsWith('D', changes),
    modified: pathsWith('M', changes),
  };
}

/** `changes` alternates status letter and path, each ended by NUL. */
function pathsWith(letter: string, changes: string): string[] {
  const parts = changes.split('\0');
  return parts.filter((_, index) => index % 2 === 1 && parts[index - 1] === letter);
}

function payloadRepository(repository: string, url: string, now: number): Record<string, unknown> {
  const [owner = '', name = ''] = repository.split('/');
  const html = `${url}/${repository}`;
  const api = `${url}/api/v3/repos/${repository}`;
  const { host, hostname } = new URL(url);
  return {
    id: numberOf(repository),
    name,
    full_name: repository,
    private: false,
    owner: payloadUser(owner, url),
    html_url: html,
    description: null,
    fork: false,
    url: html,
    hooks_url: `${api}/hooks`,
    statuses_url: `${api}/statuses/{sha}`,
    commits_url: `${api}/commits{/sha}`,
    contents_url: `${api}/contents/{+path}`,
    created_at: Math.floor(now / 1000),
    updated_at: new Date(now).toISOString().replace(/\.\d+/, ''),
    pushed_at: Math.floor(now / 1000), // a number in push payloads, a string in all others
    git_url: `git://${host}/${repository}.git`,
    ssh_url: `git@${hostname}:${repository}.git`,
    clone_url: `${html}.git`,
    svn_url: html,
    ...{ archived: false, disabled: false, visibility: 'public', default_branch: 'main', master_branch: 'main' },
  };
}

function payloadPeople(repository: string, url: string): Record<string, unknown> {
  const owner = repository.split('/')[0] ?? '';
  return { pusher: { name: owner, email: `${owner}@example.com` }, sender: payloadUser(owner, url) };
}

function payloadUser(login: string, url: string): Record<string, unknown> {
  const html_url = `${url}/${login}`;
  return { login, name: login, id: numberOf(login), html_url, type: 'User', site_admin: false };
}

/** A number that is always the same for the same name. */
function numberOf(name: string): number {
  return createHash('sha256').update(name).digest().readUInt32BE(0);
}
