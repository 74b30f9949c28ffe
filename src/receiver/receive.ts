// Spine 1: one delivery in, one run a matching GitHook stored, one outcome out. Called by server.ts; knows nothing of HTTP.
import type { GitHook } from '../api/githook.ts';
import { keptWindowMs } from '../api/identity.ts';
import { gitHookType } from '../api/keys.ts';
import type { Push } from '../api/push.ts';
import { repositoryOf } from '../api/repository.ts';
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Delivery, Forge } from '../forge/forge.ts';
import type { Store } from '../kube/reflector.ts';
import { type DecisionDeps, ignore, run } from './decisions.ts';
import { type Found, match } from './match.ts';
import { conclude, type Outcome, outcome, unverified } from './outcome.ts';
import type { Reader } from './reader.ts';

export interface ReceiveDeps extends DecisionDeps {
  readonly reader: Pick<Reader, 'read'>;
  /** The secrets that a forge's webhooks may be signed with: several while one is being replaced, none refuses all. */
  readonly secrets: (forge: string) => readonly string[];
  /** Told with which of the secrets a delivery was signed, by its place in that list. */
  readonly onVerified?: (forge: string, secret: number) => void;
  /** By repository: its index gives repositoryOf. */
  readonly gitHooks: Store<GitHook>;
  /** The only namespace that is served; undefined is all. */
  readonly namespace?: string | undefined;
  readonly clock: Clock;
}

/** Bookmarks come every minute; a watch that is silent for longer may have missed a new GitHook. */
const maxSilenceMs = 60_000;
/** Enough to be quick for a repository with many GitHooks, few enough to leave the API server room. */
const atOnce = 16;

/** Decides about a delivery. `accepted` only when all its runs are stored; the signal ends the attempt. */
export async function receive(
  forge: Forge,
  delivery: Delivery,
  deps: ReceiveDeps,
  signal: AbortSignal,
): Promise<Outcome> {
  const receivedMs = deps.clock.now();
  const read = await deps.reader.read(forge, delivery, deps.secrets(forge.name), signal);
  if (read.kind === 'unverified') return unverified;
  deps.onVerified?.(forge.name, read.secret);

  const { identity, says } = read;
  if (says.kind === 'malformed') return outcome(identity.id, 'refused', 'Malformed', says.message);
  if (says.kind === 'ignored') return outcome(identity.id, 'ignored', says.reason, says.message);

  const { push } = says;
  if (isStale(push, receivedMs)) return outcome(identity.id, 'ignored', 'Stale', staleMessage(push));

  const found = await find(push, deps, signal);
  if (found === undefined) return outcome(identity.id, 'unavailable', 'NotReady', 'the GitHooks are not known yet');

  const ignored = found.others.map((gitHook) => ignore(gitHook, push, deps));
  const decided = await inGroups(found.matched, (gitHook) =>
    run({ gitHook, push, source: 'Webhook', delivery: identity, receivedMs }, deps, signal),
  );
  return conclude(identity.id, push.ref, [...decided, ...ignored]);
}

function isStale({ pushTime }: Push, nowMs: number): boolean {
  return pushTime !== undefined && nowMs - Date.parse(pushTime) > keptWindowMs;
}

function staleMessage({ ref, pushTime }: Push): string {
  return `${ref} was pushed at ${pushTime}, more than 7 days ago, and is not run any more: push again to run it`;
}

/** Undefined while it cannot be known: before the first list, or when a look around a silent watch fails. */
async function find(
  push: Push,
  { gitHooks, kube, log, namespace }: ReceiveDeps,
  signal: AbortSignal,
): Promise<Found | undefined> {
  if (!gitHooks.hasSynced()) return undefined;
  const found = match((repository) => gitHooks.byIndex(repository), push);
  if (found.matched.length > 0 || gitHooks.silentForMs() <= maxSilenceMs) return found;
  try {
    const { items } = await kube.list<GitHook>(gitHookType, { ...(namespace && { namespace }), signal });
    return match((repository) => items.filter((gitHook) => repositoryOf(gitHook) === repository), push);
  } catch (error) {
    log.warn({ error: messageOf(error) }, 'no live list of GitHooks');
    return undefined;
  }
}

async function inGroups<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (let start = 0; start < items.length; start += atOnce) {
    results.push(...(await Promise.all(items.slice(start, start + atOnce).map(work))));
  }
  return results;
}
