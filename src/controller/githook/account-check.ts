// Whether kube-git may do for a GitHook what it must, so that its status says so before the first push, and no longer than it
// is true. Called by githook.ts. Asked once for each account of a namespace, however many GitHooks it has, and then rarely;
// what one push was refused is asked for that GitHook, until it is allowed.
import type { GitHook } from '../../api/githook.ts';
import type { GitHookRun } from '../../api/githookrun.ts';
import { keyOf } from '../../api/object.ts';
import type { Clock } from '../../clock.ts';
import { TerminalError } from '../../errors.ts';
import { ApiError, type Kube, type ResourceType, type StoredObject } from '../../kube/kube.ts';
import { type Acting, accountIn, accountOf, actingFor, type Installation } from '../permission.ts';
import type { Problem } from './githook-status.ts';
import { type Need, neededBy, type Right, toCreateAnything } from './rights.ts';

export interface AccountCheckOptions {
  readonly kube: Kube;
  readonly clock: Clock;
  readonly installation: Installation;
}

export interface AccountAnswer {
  /** What is missing, with the command that helps; undefined where nothing is. */
  readonly problem: Problem | undefined;
  /** When to look again. */
  readonly againMs: number;
}

/** What is asked about a GitHook's account, under a key that all who ask the same share. */
interface Question {
  readonly key: string;
  readonly gitHook: GitHook;
  readonly needs: readonly Need[];
  /** What is believed where the API server does not say. */
  readonly otherwise: Problem | undefined;
  /** How long a yes is believed. */
  readonly allowedForMs: number;
}

interface Known {
  readonly problem: Problem | undefined;
  /** Since when there is (no) problem, and until when that is believed, on the clock that never goes back. */
  readonly sinceMs: number;
  readonly untilMs: number;
}

/** A right is seldom taken back, and a push finds out anyway. */
const allowedForMs = 10 * 60_000;
/** A missing right is looked for soon, because a person is at it; then after half the time it has been missing. */
const missingForMs = { least: 5_000, most: 5 * 60_000 };
/** More than a cluster has namespaces and refused pushes; a GitHook can name a new account with every change. */
const mostKnown = 10_000;

const reviewType: ResourceType = { group: 'authorization.k8s.io', version: 'v1', plural: 'selfsubjectaccessreviews' };

interface Review extends StoredObject {
  readonly status?: { readonly allowed?: boolean };
}

export class AccountCheck {
  readonly #options: AccountCheckOptions;
  readonly #known = new Map<string, Known>();
  readonly #asking = new Map<string, Promise<Known>>();

  constructor(options: AccountCheckOptions) {
    this.#options = options;
  }

  /**
   * What is known of the GitHook's account, asked anew where that is old. `refused` is a push that failed for lack of rights:
   * then whether these are there now. Throws what is to be tried again.
   */
  async look(gitHook: GitHook, refused: GitHookRun | undefined, signal: AbortSignal): Promise<AccountAnswer> {
    const key = `${keyOf(gitHook).namespace}/${accountOf(gitHook, this.#options.installation)}`;
    const account = await this.#answer(
      { key, gitHook, needs: [toCreateAnything], otherwise: undefined, allowedForMs },
      signal,
    );
    if (account.problem || refused === undefined) return account;
    const push = {
      key: `${key}/${refused.metadata.uid}`,
      needs: neededBy(gitHook, refused),
      otherwise: { reason: 'NoPermission', message: refused.status?.message ?? '' },
      // That push's refusal is over then for good: another one would be another push's.
      allowedForMs: Number.POSITIVE_INFINITY,
    };
    const { problem, againMs } = await this.#answer({ ...push, gitHook }, signal);
    return { problem, againMs: Math.min(account.againMs, againMs) };
  }

  async #answer(question: Question, signal: AbortSignal): Promise<AccountAnswer> {
    const { clock } = this.#options;
    const known = this.#known.get(question.key);
    const fresh = known !== undefined && known.untilMs > clock.monotonic() ? known : await this.#once(question, signal);
    return { problem: fresh.problem, againMs: Math.max(0, fresh.untilMs - clock.monotonic()) };
  }

  /** One question at a time under a key: those who come meanwhile share the answer. */
  #once(question: Question, signal: AbortSignal): Promise<Known> {
    const { key } = question;
    const asking = this.#asking.get(key) ?? this.#ask(question, signal).finally(() => this.#asking.delete(key));
    this.#asking.set(key, asking);
    return asking;
  }

  async #ask(question: Question, signal: AbortSignal): Promise<Known> {
    const problem = await this.#problemOf(question, signal);
    const nowMs = this.#options.clock.monotonic();
    const before = this.#known.get(question.key);
    const sinceMs = before?.problem && problem ? before.sinceMs : nowMs;
    const { least, most } = missingForMs;
    const forMs = problem ? Math.min(most, Math.max(least, (nowMs - sinceMs) / 2)) : question.allowedForMs;
    const known = { problem, sinceMs, untilMs: nowMs + forMs };
    if (this.#known.size >= mostKnown) this.#known.clear();
    this.#known.set(question.key, known);
    return known;
  }

  async #problemOf({ gitHook, needs, otherwise }: Question, signal: AbortSignal): Promise<Problem | undefined> {
    const { kube, installation } = this.#options;
    const { namespace } = keyOf(gitHook);
    let acting: Acting | undefined;
    try {
      acting = actingFor(gitHook, kube, installation);
      const lacks: string[] = [];
      for (const { words, anyOf } of needs) {
        if (!(await mayOneOf(anyOf, namespace, acting.kube, signal))) lacks.push(words);
      }
      if (lacks.length === 0) return undefined;
      const account = accountOf(gitHook, installation);
      const who = account === '' ? 'kube-git itself' : `ServiceAccount "${account}"`;
      return missing(`${who} may not ${lacks.join(', nor ')} in namespace "${namespace}"`, acting);
    } catch (error) {
      if (error instanceof TerminalError) return { reason: error.reason, message: error.message };
      if (!(error instanceof ApiError) || error.status !== 403 || acting === undefined) throw error;
      const { message } = error;
      // Another refusal than this one says nothing of what the account may do.
      if (!/ cannot impersonate /.test(message)) return otherwise;
      return missing(`${accountIn(message)} may not act for namespace "${namespace}": ${message}`, acting);
    }
  }
}

async function mayOneOf(
  rights: readonly Right[],
  namespace: string,
  kube: Kube,
  signal: AbortSignal,
): Promise<boolean> {
  for (const right of rights) if (await may(right, namespace, kube, signal)) return true;
  return false;
}

/** Every authenticated user may ask about itself (ClusterRole system:basic-user). */
async function may({ verb, type, name }: Right, namespace: string, kube: Kube, signal: AbortSignal): Promise<boolean> {
  const { group, plural: resource } = type;
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    metadata: {},
    spec: { resourceAttributes: { namespace, group, resource, verb, ...(name !== undefined && { name }) } },
  };
  return (await kube.create<Review>(reviewType, review, { signal })).status?.allowed === true;
}

function missing(what: string, { remedy }: Acting): Problem {
  return { reason: 'NoPermission', message: `${what}. ${remedy}.` };
}
